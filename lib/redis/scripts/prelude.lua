-- Stands before every script: Redis's own clock, the time rules of lib/policy/verdict.ts, and the form of what is kept.
--
-- Instants are epoch milliseconds. All keys of a shard begin alike, so that a script finds those of its sessions from the
-- one of the shard's deadlines. What lies under a session's key is its tombstone, "reason/instant" with the id of the record
-- with which it goes on, if it does, behind another stroke; or its record, one string because that takes the least memory and time, with what never changes at its end:
--
--   aaaaaaaaaaaaaw|s|l|f|k|g|u
--
--   a  last activity at, always 13 digits    w  "w": the warning of this idle period has been told; "p": provisional; else "-"
--   s  started at                            l  limits in seconds, "warn/expire/lifetime", or "never"
--   f  number of the life                    k  session id, sealed; may be empty
--   g  kind of browser; may be empty         u  user id, which may have bars of its own; left out with its bar if unknown

-- The clock of a shard, {n: high-water mark, o: how far ahead of the server's own it goes, h: no ends before}. Time never
-- goes back, and never stands still, when the server's clock is set back or another server takes over whose clock is
-- behind: it goes on by what that clock passes, until that clock has caught up. While it is behind, a leap may be its
-- setting right; it moves nobody towards the end. Answers how far ahead it is now, too, for poll to remember. What is
-- there and is no clock is removed: the next look founds another.
local LEAP_MS = 5000

-- Instants have at most 13 digits. What is no such number, "nan" and "inf" too, counts as 0.
local function instantIn(given)
  local instant = tonumber(given)
  return instant and instant >= 0 and instant < 1e13 and instant or 0
end

local function nowOf(clock)
  local time = redis.call('TIME')
  local own = time[1] * 1000 + math.floor(time[2] / 1000)
  local known = redis.pcall('HMGET', clock, 'n', 'o')
  if known.err then redis.call('DEL', clock) end
  local mark, ahead = instantIn(known[1]), instantIn(known[2])
  if own >= mark then return own, 0 end
  local now = own + ahead
  if now < mark or now - mark > LEAP_MS then now = mark end
  return now, now - own
end

-- When nobody has looked for a while, Redis was away or paused, or all processes were down. Then no idle session is ended
-- for a moment, so that processes that remember later activity can write it first. Answers until when, 0 = not at all, and
-- whether that is new: whoever looks writes it down.
local STANDSTILL_MS, HOLD_MS = 2500, 2000

local function holdOf(clock, now)
  local known = redis.call('HMGET', clock, 'n', 'h')
  local seen, hold = instantIn(known[1]), instantIn(known[2])
  if now - seen > STANDSTILL_MS then return now + HOLD_MS, true end
  -- Nobody has written a later one.
  return hold <= now + HOLD_MS and hold or 0, false
end

-- An instant as text, in full: Lua's own conversion may write 1.7e+12. Most are that of now.
local lastInstant, lastText
local function text(instant)
  if instant ~= lastInstant then lastInstant, lastText = instant, string.format('%.0f', instant) end
  return lastText
end

-- What the keys of a shard begin with, from the key of its deadlines.
local function baseOf(deadlines)
  return string.sub(deadlines, 1, -2)
end

local function keyOf(base, id)
  return base .. 's:' .. id
end

-- The reason in a tombstone, the id of the record with which the session goes on, and the instant; nil for what is none.
local function graveIn(value)
  local reason, at, successor = string.match(value or '', '^(%l+)/(%d+)/?([%w_-]*)$')
  return reason, successor ~= '' and successor or nil, tonumber(at)
end

local function bury(key, reason, now, seconds, successor)
  local place = successor and successor ~= '' and '/' .. successor or ''
  redis.call('SET', key, reason .. '/' .. text(now) .. place, 'EX', seconds)
end

-- Limits in milliseconds, {warn, expire, lifetime}, or {never}; false if they cannot be read, or contradict each other.
-- The rules are those of lib/policy/limits.ts.
local LONGEST = 100 * 365 * 24 * 3600

local function parsedLimits(given)
  if given == 'never' then return { never = true } end
  local warn, expire, lifetime = string.match(given, '^([%d.]+)/([%d.]+)/([%d.]*)$')
  warn, expire = tonumber(warn), tonumber(expire)
  if not warn or not expire or warn <= 0 or warn >= expire or expire > LONGEST then return false end
  if lifetime == '' then return { warn = warn * 1000, expire = expire * 1000 } end
  lifetime = tonumber(lifetime)
  if not lifetime or lifetime < expire or lifetime > LONGEST then return false end
  return { warn = warn * 1000, expire = expire * 1000, lifetime = lifetime * 1000 }
end

-- Thousands have the same.
local knownLimits = {}
local function limitsOf(given)
  local limits = knownLimits[given]
  if limits == nil then
    limits = parsedLimits(given)
    knownLimits[given] = limits
  end
  return limits
end

-- {a, w, p, s, l, f, u, v = the text}, or nil if there is nothing, a tombstone, or nothing that can be read.
local function recordOf(value)
  if not value then return nil end
  local active, state, started, limits, life, user =
    string.match(value, '^(%d%d%d%d%d%d%d%d%d%d%d%d%d)([wp-])|(%d+)|([^|]+)|(%d+)|[^|]*|[^|]*()')
  limits = limits and limitsOf(limits)
  if not limits then return nil end
  started = tonumber(started)
  -- So many digits that they mean nothing.
  if started == math.huge or tonumber(life) == math.huge then return nil end
  return {
    a = tonumber(active),
    w = state == 'w',
    p = state == 'p',
    s = started,
    l = limits,
    f = life,
    u = user <= #value and string.sub(value, user + 1) or nil,
    v = value,
  }
end

-- What lies under a session's key, or nil; also for what is no text, which a foreigner has put there.
local function valueAt(key)
  local value = redis.pcall('GET', key)
  return type(value) == 'string' and value or nil
end

local function readRecord(key)
  return recordOf(valueAt(key))
end

local function valueOf(record)
  return string.format('%013.0f', record.a) .. (record.w and 'w' or '-') .. string.sub(record.v, 15)
end

-- Writes what may change of a record that exists.
local function update(key, record)
  redis.call('SETRANGE', key, 0, string.format('%013.0f', record.a) .. (record.w and 'w' or '-'))
end

-- As judge() of the policy. Idle deadlines are worked off `slack` late: a process may have died with so much activity
-- that it had not written yet.
local function judge(record, now, slack)
  local limits = record.l
  if limits.never then return { phase = 'active', warnAt = math.huge, expireAt = math.huge, dueAt = math.huge } end
  local idleEnd = math.min(record.a, now) + limits.expire
  local lifetimeEnd = limits.lifetime and math.min(record.s, now) + limits.lifetime or math.huge
  local expireAt = math.min(idleEnd, lifetimeEnd)
  local warnAt = expireAt - (limits.expire - limits.warn)
  local endAt = math.min(idleEnd + slack, lifetimeEnd)
  local warned = warnAt + slack
  -- At once, because a table that grows is built again and again.
  return {
    reason = lifetimeEnd < idleEnd and 'lifetime' or 'idle',
    expireAt = expireAt,
    warnAt = warnAt,
    phase = now >= endAt and 'expired' or now >= warned and 'warning' or 'active',
    -- The next instant at which there is something to do for this session.
    dueAt = (record.w or warned >= endAt) and endAt or warned,
  }
end

-- Files a session for its next deadline; one that has none is not filed.
local function file(deadlines, id, at)
  if at < math.huge then
    redis.call('ZADD', deadlines, text(math.ceil(at)), id)
  else
    redis.call('ZREM', deadlines, id)
  end
end

-- The index of a user's sessions in a shard: a few of many users in each of 1,024 hashes, because a key of its own for
-- each would take more than what it holds.
local function indexOf(base, id, user)
  local hash = redis.sha1hex(user)
  return base .. 'u:' .. tonumber(string.sub(hash, 1, 3), 16) % 1024, string.sub(hash, 4, 9) .. id
end

local function index(base, id, record)
  if not record.u then return end
  local key, field = indexOf(base, id, record.u)
  redis.call('HSET', key, field, record.f)
end

local function unindex(base, id, record)
  if not record.u then return end
  local key, field = indexOf(base, id, record.u)
  -- What is left there hurts nobody, and must not keep a session from ending.
  redis.pcall('HDEL', key, field)
end

-- Appends what happened to the shard's stream, the truth that handlers work from, as one text with the record at its end:
-- kind|id|instant|reason|due at|keeps its blob|record. With "moved", the record with which it goes on stands for the
-- reason. Answers it, and the entry's id.
local function tell(stream, kind, id, value, now, reason, dueAt, keep)
  local entry = kind .. '|' .. id .. '|' .. text(now) .. '|' .. (reason or '') .. '|'
    .. (dueAt and string.format('%.0f', dueAt) or '') .. '|' .. (keep and '1' or '') .. '|' .. value
  return entry, redis.call('XADD', stream, '*', 'e', entry)
end
