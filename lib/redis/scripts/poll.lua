-- One look at a shard: what may be due, and what was told since the last look. Carries the shard's clock forward.
--
-- When nobody has looked for a while, Redis was away or paused, or all processes were down. Then no idle session is
-- ended for a moment, so that processes that remember later activity can write it first.
--
-- KEYS  1 clock  2 deadlines  3 stream
-- ARGV  1 how many due ids at most  2 last stream entry seen, "" = begin at the end  3 how many entries at most
--       4 standstill ms  5 hold ms  6 lifetime of the clock's mark in ms
-- Reply {now, due ids, entries {{entry id, {field, value…}}…}, last stream entry seen, 1 = ends are held}

local now, ahead = nowOf(KEYS[1])
local mark = redis.call('HMGET', KEYS[1], 'n', 'h')
local seen, hold = tonumber(mark[1]) or 0, tonumber(mark[2]) or 0
if now - seen > tonumber(ARGV[4]) then
  hold = now + ARGV[5]
  redis.call('HSET', KEYS[1], 'h', text(hold))
end
redis.call('HSET', KEYS[1], 'n', text(now), 'o', text(ahead))
redis.call('PEXPIRE', KEYS[1], ARGV[6])

local cursor, entries = ARGV[2], {}
if cursor == '' then
  local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
  cursor = last[1] and last[1][1] or '0-0'
else
  entries = redis.call('XRANGE', KEYS[3], '(' .. cursor, '+', 'COUNT', ARGV[3])
  if #entries > 0 then cursor = entries[#entries][1] end
end
local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', text(now), 'LIMIT', 0, ARGV[1])
return { text(now), due, entries, cursor, hold > now and 1 or 0 }
