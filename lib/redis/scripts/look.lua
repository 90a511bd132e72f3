-- One look at some shards: works off what is due, hears what was told since the last look, and carries the shards' clocks
-- forward. What fails of one session or of one shard keeps none of the others from their turn.
--
-- KEYS  for each shard: clock, deadlines, stream
-- ARGV  1 slack ms  2 tombstone seconds  3 how many sessions at most, in all  4 how many entries at most, in all
--       5 lifetime of a clock's mark in ms
--       then for each shard: the last stream entries seen, the latest first; none = begin at the end
-- Reply for each shard {now, ids of the entries of warnings and ends that this look has told, entries {{entry id, {"e", text}}…}, last stream
--       entry seen, 1 = there is more to do at once, 1 = ends are held, {key, how it has failed} or nil}

local slack, tombstoneSeconds = tonumber(ARGV[1]), ARGV[2]
local sessionsLeft, entriesLeft = tonumber(ARGV[3]), tonumber(ARGV[4])

-- A session that could not be settled is judged again so much later.
local AGAIN_MS = 1000

-- Keys looked through at a time for sessions that are to be filed anew.
local REFILED_KEYS = 1000

local function reasonOf(failure)
  return type(failure) == 'table' and failure.err or tostring(failure)
end

-- Whatever had been put in the place of the deadlines is gone, and they with it. Files the next of the shard's sessions, to
-- be judged at once; the clock remembers from where to go on, until all have been filed. Answers how it has failed.
local function refile(shard, now, position)
  local pattern = string.gsub(shard.base, '[*?%[%]\\^]', '\\%0') .. 's:*'
  local reply = redis.pcall('SCAN', position, 'MATCH', pattern, 'COUNT', REFILED_KEYS)
  if reply.err then return { shard.deadlines, reply.err } end
  for _, key in ipairs(reply[2]) do
    redis.call('ZADD', shard.deadlines, 'NX', text(now), string.sub(key, #shard.base + 3))
  end
  if reply[1] == '0' then
    redis.call('HDEL', shard.clock, 'r')
  else
    redis.call('HSET', shard.clock, 'r', reply[1])
  end
end

-- Works off what is due in a shard. Answers the entries it has told, whether there is more, and what has failed.
local function work(shard, now)
  local told, isBusy, failure = {}, false, nil
  local due = redis.pcall('ZRANGEBYSCORE', shard.deadlines, '-inf', text(now), 'LIMIT', 0, sessionsLeft)
  if due.err then
    redis.call('HSET', shard.clock, 'r', '0')
    return told, false, { shard.deadlines, due.err }
  end
  local unfiledFrom = redis.call('HMGET', shard.clock, 'r')[1]
  if unfiledFrom then failure = refile(shard, now, unfiledFrom) end
  local isRefiling = unfiledFrom and not failure
  if #due == 0 then return told, isRefiling, failure end
  local keys = {}
  for number, id in ipairs(due) do keys[number] = keyOf(shard.base, id) end
  local values = redis.call('MGET', unpack(keys))
  for number, id in ipairs(due) do
    local isDone, state, _, entry = pcall(settle, shard, id, keys[number], values[number], now, slack, tombstoneSeconds)
    if isDone then
      told[#told + 1] = entry
      if state ~= 'held' then isBusy = true end
    else
      -- All that settling a session must do to other keys is to tell of it.
      failure = { shard.stream, reasonOf(state) }
      file(shard.deadlines, id, now + AGAIN_MS)
    end
  end
  unfile(shard)
  local isMore = isRefiling or #due == sessionsLeft and isBusy
  sessionsLeft = sessionsLeft - #due
  return told, isMore, failure
end

-- What was told in a stream since the last entry seen that is there. A failover may have lost the latest of them. Where none
-- is there, all have been trimmed away, or it is another stream, which may be numbered by another clock: nothing that is in
-- it has been seen. Answers the last entry, too, and what has failed.
local function hear(stream, seen)
  local _, _, latest = string.find(seen, '([^,]+)')
  if entriesLeft == 0 then return {}, latest end
  local entries
  for cursor in string.gmatch(seen .. ',-', '[^,]+') do
    entries = redis.pcall('XRANGE', stream, cursor, '+', 'COUNT', entriesLeft + 1)
    if entries.err then return {}, latest, { stream, entries.err } end
    if entries[1] and entries[1][1] == cursor then
      table.remove(entries, 1)
      break
    end
  end
  -- Read from the beginning there is one more.
  entries[entriesLeft + 1] = nil
  entriesLeft = entriesLeft - #entries
  return entries, #entries > 0 and entries[#entries][1] or latest
end

local function endOf(stream)
  local last = redis.pcall('XREVRANGE', stream, '+', '-', 'COUNT', 1)
  -- What is no stream is followed by a new one.
  return not last.err and last[1] and last[1][1] or '0-0'
end

local function lookAt(number)
  local clock, deadlines, stream = KEYS[number * 3 - 2], KEYS[number * 3 - 1], KEYS[number * 3]
  local now, ahead = nowOf(clock)
  local hold, isNew = holdOf(clock, now)
  if isNew then redis.call('HSET', clock, 'h', text(hold)) end
  redis.call('HSET', clock, 'n', text(now), 'o', text(ahead))
  redis.call('PEXPIRE', clock, ARGV[5])

  local seen = ARGV[number + 5]
  if seen == '' then seen = endOf(stream) end
  local told, isMore, unworked, unheard = {}, true, nil, nil
  if sessionsLeft > 0 then
    local base = baseOf(deadlines)
    local shard = { base = base, clock = clock, deadlines = deadlines, stream = stream, hold = hold, done = {}, isLook = true }
    told, isMore, unworked = work(shard, now)
  end
  local entries, last
  entries, last, unheard = hear(stream, seen)
  if entriesLeft == 0 then isMore = true end
  return { text(now), told, entries, last, isMore and 1 or 0, hold > now and 1 or 0, unheard or unworked }
end

local replies, failures = {}, {}
for number = 1, #KEYS / 3 do
  local isDone, reply = pcall(lookAt, number)
  if not isDone then failures[#failures + 1] = reasonOf(reply) end
  replies[number] = isDone and reply or { '', {}, {}, ARGV[number + 5], 0, 0, { KEYS[number * 3 - 2], failures[#failures] } }
end
-- The server itself, which is a replica or cannot write: for the client to see.
if #failures == #replies then return { err = failures[1] } end
return replies
