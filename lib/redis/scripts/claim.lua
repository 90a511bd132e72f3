-- Judges sessions whose filed deadline has come. A living one is filed again; a warning is told; an end removes the
-- record, leaves a tombstone and is told, in this one script: nothing can be lost between, and one caller ends it.
--
-- KEYS  1 clock  2 deadlines  3 stream, then for each session: record, tombstone
-- ARGV  1 slack ms  2 tombstone seconds, then for each session: id
-- Reply {now, for each session {state, due at, reason, record…}}; state is "gone", "alive", "held" (ends are held, see
--       poll), "warn" or "expire"; record as {started at, last activity at, limits, life, user id, kind of browser}

local now = nowOf(KEYS[1])
local slack = tonumber(ARGV[1])
local hold = tonumber(redis.call('HGET', KEYS[1], 'h')) or 0
local states = {}
for number = 1, #ARGV - 2 do
  local id, key, tombstone = ARGV[number + 2], KEYS[number * 2 + 2], KEYS[number * 2 + 3]
  local record = readRecord(key)
  local verdict = record and judge(record, now, slack)
  local state
  if not record then
    redis.call('ZREM', KEYS[2], id)
    redis.call('DEL', key)
    state = { 'gone' }
  elseif verdict.phase == 'expired' and verdict.reason == 'idle' and now < hold then
    file(KEYS[2], id, hold)
    state = { 'held' }
  elseif verdict.phase == 'expired' then
    tell(KEYS[3], 'end', id, record, now, verdict.reason, verdict.expireAt)
    redis.call('DEL', key)
    redis.call('ZREM', KEYS[2], id)
    redis.call('SET', tombstone, verdict.reason .. '/' .. text(now), 'EX', ARGV[2])
    state = { 'expire', text(verdict.expireAt), verdict.reason, unpack(reply(record)) }
  elseif verdict.phase == 'warning' and not record.w then
    tell(KEYS[3], 'warn', id, record, now, verdict.reason, verdict.warnAt)
    redis.call('HSET', key, 'w', '1')
    record.w = true
    file(KEYS[2], id, judge(record, now, slack).dueAt)
    state = { 'warn', text(verdict.warnAt), verdict.reason, unpack(reply(record)) }
  else
    file(KEYS[2], id, verdict.dueAt)
    state = { 'alive', false, false, unpack(reply(record)) }
  end
  states[number] = state
end
return { text(now), states }
