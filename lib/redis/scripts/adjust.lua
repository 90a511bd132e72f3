-- Replaces limits and sign-in of a record that exists, and files its next deadline again: a shortening takes effect at
-- once, and a warning that is called off is told of. Last activity only grows.
--
-- KEYS  1 clock  2 deadlines  3 stream  4 session
-- ARGV  1 id  2 limits  3 slack ms  4 started at  5 last activity at
-- Reply {now, 1 = done, 0 = there is no record}

local now = nowOf(KEYS[1])
local before = readRecord(KEYS[4])
if not before then return { text(now), 0 } end
before.a = math.max(math.min(before.a, now), math.min(tonumber(ARGV[5]), now))
local value = string.gsub(valueOf(before), '|%d+|[^|]+', function() return '|' .. ARGV[4] .. '|' .. ARGV[2] end, 1)
local record = recordOf(value)
local isRenewed = record.w and judge(record, now, 0).phase == 'active'
if isRenewed then record.w = false end
-- The record comes last: what could not be filed or told is done once more.
file(KEYS[2], ARGV[1], judge(record, now, tonumber(ARGV[3])).dueAt)
if isRenewed then tell(KEYS[3], 'renew', ARGV[1], valueOf(record), now) end
redis.call('SET', KEYS[4], valueOf(record))
return { text(now), 1 }
