-- Creates a session's record; the only script that does. Called again with the same life it changes nothing but last
-- activity, which only grows, so it may be repeated.
--
-- A command may lie on its way for long, and be carried out all the same: a session does not begin over the tombstone of one
-- that has ended since. What signs in after that end, under the same id, bears a later instant, because no process's idea
-- of Redis's time is behind it.
--
-- A session that goes on from another id is not told of. Its record is provisional until it is touched, because whoever
-- gives the session its id may die before the old one is given up: then it is nobody's, and a look clears it away.
--
-- KEYS  1 clock  2 deadlines  3 stream  4 session
-- ARGV  1 id  2 last activity at  3 the rest of the record, from its first bar on  4 slack ms  5 "1" = it goes on from
--       another id
-- Reply {now, 1 = begun, 0 = it has ended since}

-- Longer than processes are cut off.
local PROVISIONAL_MS = 300000

local now = nowOf(KEYS[1])
local id, base, isProvisional = ARGV[1], baseOf(KEYS[2]), ARGV[5] == '1'
local value = string.format('%013.0f', math.min(tonumber(ARGV[2]), now)) .. (isProvisional and 'p' or '-') .. ARGV[3]
local found, record = valueAt(KEYS[4]), recordOf(value)
local existing = recordOf(found)
if existing and existing.f == record.f then
  if record.a > existing.a then
    existing.a = record.a
    update(KEYS[4], existing)
  end
  return { text(now), 1 }
end
-- One of the future is none of this clock. A session that goes on signed in before, under another id.
local _, _, endedAt = graveIn(found)
if endedAt and not isProvisional and record.s < endedAt and endedAt <= now then return { text(now), 0 } end

-- The record comes last: one that stands is found, filed and told. What is filed without one is forgotten when it is due.
local dueAt = judge(record, now, tonumber(ARGV[4])).dueAt
file(KEYS[2], id, isProvisional and math.min(dueAt, now + PROVISIONAL_MS) or dueAt)
index(base, id, record)
if not isProvisional then tell(KEYS[3], 'start', id, value, now) end
if existing and existing.u ~= record.u then unindex(base, id, existing) end
redis.call('SET', KEYS[4], value)
return { text(now), 1 }
