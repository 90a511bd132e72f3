-- Ends a session: the record goes, the event and the tombstone stand, all at once. One caller gets the record.
--
-- KEYS  1 clock  2 deadlines  3 stream  4 record  5 tombstone
-- ARGV  1 id  2 reason  3 tombstone seconds  4 mode: "end"; "keep" = the session id stays in use, no tombstone;
--       "move" = the session goes on under another id, handlers are not told
-- Reply {now, record {started at, last activity at, limits, life, user id, kind of browser} or nil}

local now = nowOf(KEYS[1])
local id, reason, mode = ARGV[1], ARGV[2], ARGV[4]
if mode ~= 'keep' then redis.call('SET', KEYS[5], reason .. '/' .. text(now), 'EX', ARGV[3]) end
redis.call('ZREM', KEYS[2], id)
local record = readRecord(KEYS[4])
redis.call('DEL', KEYS[4])
if not record then return { text(now), false } end
local dueAt = now
if record.l ~= 'never' and (reason == 'idle' or reason == 'lifetime') then dueAt = judge(record, now, 0).expireAt end
tell(KEYS[3], mode == 'move' and 'moved' or 'end', id, record, now, reason, dueAt, mode == 'keep')
return { text(now), reply(record) }
