-- Ends a session: the record goes, the event and the tombstone stand, all at once. One caller gets the record. Who buried
-- first says why, except where only the id had been given up for another.
--
-- KEYS  1 clock  2 deadlines  3 stream  4 session
-- ARGV  1 id  2 reason  3 tombstone seconds  4 mode: "end"; "keep" = the session id stays in use, no tombstone
-- Reply {now, record or nil, id of the record with which it goes on, or nil}

local now = nowOf(KEYS[1])
local id, reason, mode = ARGV[1], ARGV[2], ARGV[4]
local value = valueAt(KEYS[4])
local record = recordOf(value)
local buried, successor = graveIn(value)
-- Told first: what cannot be told is not ended.
if record then
  local dueAt = now
  if not record.l.never and (reason == 'idle' or reason == 'lifetime') then dueAt = judge(record, now, 0).expireAt end
  tell(KEYS[3], 'end', id, record.v, now, reason, dueAt, mode == 'keep')
end
if mode == 'keep' then
  if record then redis.call('DEL', KEYS[4]) end
elseif not buried or (successor and buried == 'replaced') then
  bury(KEYS[4], reason, now, ARGV[3], successor)
end
-- What stays filed is forgotten when it is due.
redis.pcall('ZREM', KEYS[2], id)
if not record then return { text(now), false, successor or false } end
unindex(baseOf(KEYS[2]), id, record)
return { text(now), record.v, false }
