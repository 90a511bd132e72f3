-- Creates a session's record; the only script that does. Called again with the same life it changes nothing but last
-- activity, which only grows, so it may be repeated.
--
-- KEYS  1 clock  2 deadlines  3 stream  4 record
-- ARGV  1 id  2 started at  3 last activity at  4 limits  5 number of the life  6 slack ms  7 "1" = do not tell
--       then further fields of the record and their values in turn
-- Reply {now}

local now = nowOf(KEYS[1])
local id, slack = ARGV[1], tonumber(ARGV[6])
local started, active = tonumber(ARGV[2]), math.min(tonumber(ARGV[3]), now)
local existing = readRecord(KEYS[4])
if existing and existing.f == ARGV[5] then
  if active > existing.a then redis.call('HSET', KEYS[4], 'a', text(active)) end
  return { text(now) }
end

redis.call('DEL', KEYS[4])
redis.call('HSET', KEYS[4], 's', text(started), 'a', text(active), 'l', ARGV[4], 'f', ARGV[5], unpack(ARGV, 8))
local record = readRecord(KEYS[4])
redis.call('ZREM', KEYS[2], id)
file(KEYS[2], id, judge(record, now, slack).dueAt)
if ARGV[7] ~= '1' then tell(KEYS[3], 'start', id, record, now) end
return { text(now) }
