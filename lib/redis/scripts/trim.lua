-- Cuts entries off the stream that are old and that every group has worked off. Forgets members that died long ago.
--
-- KEYS  1 clock  2 stream
-- ARGV  1 age in ms  2 idle ms from which an empty-handed member is forgotten
-- Reply how many entries were cut off

local function before(one, other)
  local oneMs, oneNumber = string.match(one, '^(%d+)-(%d+)$')
  local otherMs, otherNumber = string.match(other, '^(%d+)-(%d+)$')
  oneMs, otherMs = tonumber(oneMs), tonumber(otherMs)
  return oneMs < otherMs or (oneMs == otherMs and tonumber(oneNumber) < tonumber(otherNumber))
end

if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
-- Entries are numbered by the server's own clock.
local now, ahead = nowOf(KEYS[1])
local floor = text(math.max(0, now - ahead - ARGV[1])) .. '-0'
for _, fields in ipairs(redis.call('XINFO', 'GROUPS', KEYS[2])) do
  local group = {}
  for index = 1, #fields, 2 do group[fields[index]] = fields[index + 1] end
  local oldest = group['pending'] > 0 and redis.call('XPENDING', KEYS[2], group['name'])[2] or group['last-delivered-id']
  if before(oldest, floor) then floor = oldest end
  for _, described in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[2], group['name'])) do
    local member = {}
    for index = 1, #described, 2 do member[described[index]] = described[index + 1] end
    if member['pending'] == 0 and member['idle'] > tonumber(ARGV[2]) then
      redis.call('XGROUP', 'DELCONSUMER', KEYS[2], group['name'], member['name'])
    end
  end
end
return redis.call('XTRIM', KEYS[2], 'MINID', '=', floor)
