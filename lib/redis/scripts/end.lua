-- Ends a session: the record goes, the event and the tombstone stand, all at once. One caller gets the record.
--
-- KEYS  1 clock  2 deadlines  3 stream  4 session
-- ARGV  1 id  2 reason  3 tombstone seconds  4 mode: "end"; "keep" = the session id stays in use, no tombstone;
--       "move" = the session goes on under another id, handlers are not told
-- Reply {now, record or nil}

local now = nowOf(KEYS[1])
local id, reason, mode = ARGV[1], ARGV[2], ARGV[4]
local record = readRecord(KEYS[4])
if mode ~= 'keep' then
  bury(KEYS[4], reason, now, ARGV[3])
elseif record then
  redis.call('DEL', KEYS[4])
end
-- What stays filed is forgotten when it is due.
redis.pcall('ZREM', KEYS[2], id)
if not record then return { text(now), false } end
unindex(baseOf(KEYS[2]), id, record)
local dueAt = now
if not record.l.never and (reason == 'idle' or reason == 'lifetime') then dueAt = judge(record, now, 0).expireAt end
tell(KEYS[3], mode == 'move' and 'moved' or 'end', id, record.v, now, reason, dueAt, mode == 'keep')
return { text(now), record.v }
