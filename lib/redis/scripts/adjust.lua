-- Replaces limits and sign-in of a record that exists, and files its next deadline again: a shortening takes effect at
-- once. Last activity only grows.
--
-- KEYS  1 clock  2 deadlines  3 record
-- ARGV  1 id  2 limits  3 slack ms  4 started at  5 last activity at
-- Reply {now, 1 = done, 0 = there is no record}

local now = nowOf(KEYS[1])
local before = readRecord(KEYS[3])
if not before then return { text(now), 0 } end
local active = math.max(before.a, math.min(tonumber(ARGV[5]), now))
redis.call('HSET', KEYS[3], 'l', ARGV[2], 's', ARGV[4], 'a', text(active))
local record = readRecord(KEYS[3])
if record.w and judge(record, now, 0).phase == 'active' then
  redis.call('HDEL', KEYS[3], 'w')
  record.w = false
end
redis.call('ZREM', KEYS[2], ARGV[1])
file(KEYS[2], ARGV[1], judge(record, now, tonumber(ARGV[3])).dueAt)
return { text(now), 1 }
