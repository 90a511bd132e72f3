-- Moves last activity of records that exist forward, never back, never into the future, and never of a session whose
-- time is over. Deadlines stay filed where they are, as lower bounds, unless a warning is called off.
--
-- KEYS  1 clock  2 deadlines  3 stream  4… records
-- ARGV  1 slack ms, then for each record: id, last activity at
-- Reply {now, numbers (from 0) of the records that do not exist or are over}

local now = nowOf(KEYS[1])
local slack = tonumber(ARGV[1])
local gone = {}
for number = 0, #KEYS - 4 do
  local key, id = KEYS[number + 4], ARGV[number * 2 + 2]
  local record = readRecord(key)
  if not record or judge(record, now, slack).phase == 'expired' then
    gone[#gone + 1] = number
  else
    local active = math.min(tonumber(ARGV[number * 2 + 3]), now)
    if active > record.a then
      redis.call('HSET', key, 'a', text(active))
      record.a = active
    end
    if record.w and judge(record, now, 0).phase == 'active' then
      redis.call('HDEL', key, 'w')
      record.w = false
      file(KEYS[2], id, judge(record, now, slack).dueAt)
      tell(KEYS[3], 'renew', id, record, now)
    end
  end
end
return { text(now), gone }
