-- A session goes on under another id: its record goes, and its tombstone tells where to. Whoever gives the id up first
-- decides that; a session that has ended goes on nowhere.
--
-- KEYS  1 clock  2 deadlines  3 stream  4 session
-- ARGV  1 id  2 tombstone seconds  3 id of the record with which it goes on, in whichever shard; empty = with none
-- Reply {now, id of the record with which it goes on, or nil}

local now = nowOf(KEYS[1])
local id, successor = ARGV[1], ARGV[3]
local value = valueAt(KEYS[4])
local record = recordOf(value)
if not record then
  local _, other = graveIn(value)
  return { text(now), other or false }
end
-- Told first: what cannot be told is not given up.
tell(KEYS[3], 'moved', id, record.v, now, successor)
bury(KEYS[4], 'replaced', now, ARGV[2], successor)
-- What stays filed is forgotten when it is due.
redis.pcall('ZREM', KEYS[2], id)
unindex(baseOf(KEYS[2]), id, record)
return { text(now), successor }
