-- Ends a session if its time is over.
--
-- KEYS  1 clock  2 deadlines  3 stream  4 session
-- ARGV  1 id  2 slack ms  3 tombstone seconds
-- Reply {now, state as settle answers it, what was told or nil, what lies under the session's key now}

local now = nowOf(KEYS[1])
local shard = { base = baseOf(KEYS[2]), deadlines = KEYS[2], stream = KEYS[3], hold = holdOf(KEYS[1], now), done = {} }
local value = redis.call('MGET', KEYS[4])[1]
local state, told = settle(shard, ARGV[1], KEYS[4], value, now, tonumber(ARGV[2]), ARGV[3])
unfile(shard)
return { text(now), state, told or false, redis.call('MGET', KEYS[4])[1] }
