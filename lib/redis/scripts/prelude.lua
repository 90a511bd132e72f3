-- Stands before every script: Redis's own clock, the time rules of lib/policy/verdict.ts, and the form of stream entries.
--
-- Instants are epoch milliseconds. A record is a hash with these fields:
--   s  started at          a  last activity at        l  limits in seconds, "warn/expire/lifetime", or "never"
--   f  number of the life  u  user id                 g  kind of browser
--   k  session id, sealed  w  1 = the warning of this idle period has been told

-- The clock of a shard, {n: high-water mark, o: how far ahead of the server's own it goes, h: no ends before}. Time never
-- goes back, and never stands still, when the server's clock is set back or another server takes over whose clock is
-- behind: it goes on by what that clock passes, until that clock has caught up. While it is behind, a leap may be its
-- setting right; it moves nobody towards the end. Answers how far ahead it is now, too, for poll to remember.
local LEAP_MS = 5000

local function nowOf(clock)
  local time = redis.call('TIME')
  local own = time[1] * 1000 + math.floor(time[2] / 1000)
  local known = redis.call('HMGET', clock, 'n', 'o')
  local mark, ahead = tonumber(known[1]) or 0, tonumber(known[2]) or 0
  if own >= mark then return own, 0 end
  local now = own + ahead
  if now < mark or now - mark > LEAP_MS then now = mark end
  return now, now - own
end

-- An instant as text, in full: Lua's own conversion may write 1.7e+12.
local function text(instant)
  return string.format('%.0f', instant)
end

-- {s, a, l, f, u, g, k, w}, or nil when there is no record, or nothing that can be read as one.
local function readRecord(key)
  local reply = redis.pcall('HMGET', key, 's', 'a', 'l', 'f', 'u', 'g', 'k', 'w')
  if reply.err then return nil end
  local started, active, limits = tonumber(reply[1]), tonumber(reply[2]), reply[3]
  if not started or not active or not limits then return nil end
  local record = { s = started, a = active, l = limits, f = reply[4], u = reply[5], g = reply[6], k = reply[7] }
  record.w = reply[8] == '1'
  if limits == 'never' then return record end
  local warn, expire, lifetime = string.match(limits, '^([%d.]+)/([%d.]+)/([%d.]*)$')
  if not warn then return nil end
  record.warn, record.expire, record.lifetime = warn * 1000, expire * 1000, tonumber(lifetime)
  return record
end

-- As judge() of the policy. Idle deadlines are worked off `slack` late: a process may have died with so much activity
-- that it had not written yet.
local function judge(record, now, slack)
  if record.l == 'never' then return { phase = 'active', warnAt = math.huge, expireAt = math.huge, dueAt = math.huge } end
  local active = math.min(record.a, now)
  local idleEnd = active + record.expire
  local lifetimeEnd = record.lifetime and math.min(record.s, now) + record.lifetime * 1000 or math.huge
  local verdict = { reason = lifetimeEnd < idleEnd and 'lifetime' or 'idle' }
  verdict.expireAt = math.min(idleEnd, lifetimeEnd)
  verdict.warnAt = verdict.expireAt - (record.expire - record.warn)
  local endAt = math.min(idleEnd + slack, lifetimeEnd)
  local warned = verdict.warnAt + slack
  verdict.phase = now >= endAt and 'expired' or now >= warned and 'warning' or 'active'
  -- The next instant at which there is something to do for this session.
  verdict.dueAt = (record.w or warned >= endAt) and endAt or warned
  return verdict
end

-- Files a session for its next deadline. A session that has none is not filed.
local function file(deadlines, id, at)
  if at < math.huge then redis.call('ZADD', deadlines, text(math.ceil(at)), id) end
end

-- Appends what happened to the shard's stream: the truth that handlers work from.
local function tell(stream, kind, id, record, now, reason, dueAt, keep)
  local entry = { 'e', kind, 'i', id, 's', text(record.s), 'a', text(record.a), 'l', record.l, 't', text(now) }
  local function add(name, value)
    if value then
      entry[#entry + 1] = name
      entry[#entry + 1] = value
    end
  end
  add('f', record.f)
  add('u', record.u)
  add('g', record.g)
  add('k', record.k)
  add('r', reason)
  add('d', dueAt and text(dueAt))
  add('b', keep and '1')
  redis.call('XADD', stream, '*', unpack(entry))
end

local function reply(record)
  return { text(record.s), text(record.a), record.l, record.f, record.u, record.g }
end
