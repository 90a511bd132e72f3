-- Moves last activity of records that exist forward, never back, never into the future, and never of a session whose
-- time is over, or that has been replaced by another life; but while ends are held, what processes remember counts.
-- Deadlines stay filed where they are, as lower bounds, unless a warning is called off.
--
-- KEYS  for each shard: clock, deadlines, stream
-- ARGV  1 slack ms, then for each shard: how many sessions, and for each of them: id, last activity at, life
--       (empty: the one that is there)
-- Reply {numbers (from 0, over all shards) of the records that do not exist, are over or replaced, now of each shard…}

-- What cannot be told or filed is no renewal yet: the warning stands until activity that can be.
local function renew(deadlines, stream, id, record, now, slack)
  file(deadlines, id, judge(record, now, slack).dueAt)
  tell(stream, 'renew', id, valueOf(record), now)
end

local slack = tonumber(ARGV[1])
local gone, times = {}, {}
local position, number = 2, 0
for shard = 1, #KEYS / 3 do
  local deadlines, stream = KEYS[shard * 3 - 1], KEYS[shard * 3]
  local clock, base = KEYS[shard * 3 - 2], baseOf(deadlines)
  local now = nowOf(clock)
  local isHeld = now < holdOf(clock, now)
  times[shard] = text(now)
  local count, keys = tonumber(ARGV[position]), {}
  for each = 1, count do keys[each] = keyOf(base, ARGV[position + each * 3 - 2]) end
  local values = redis.call('MGET', unpack(keys))
  for each = 1, count do
    local argument = position + each * 3
    local id, at, life = ARGV[argument - 2], tonumber(ARGV[argument - 1]), ARGV[argument]
    local record = recordOf(values[each])
    if record and life ~= '' and record.f ~= life then record = nil end
    local stored = record and record.a
    local before = record and math.min(stored, now)
    if record and isHeld then record.a = math.max(before, math.min(at, now)) end
    if not record or judge(record, now, slack).phase == 'expired' then
      gone[#gone + 1] = number
    else
      record.a = math.max(before, math.min(at, now))
      local isRenewed = record.w and judge(record, now, 0).phase == 'active'
      if isRenewed then
        record.w = false
        isRenewed = pcall(renew, deadlines, stream, id, record, now, slack)
        record.w = not isRenewed
      end
      if isRenewed or record.p or record.a ~= stored then update(keys[each], record) end
    end
    number = number + 1
  end
  position = position + 1 + count * 3
end
return { gone, unpack(times) }
