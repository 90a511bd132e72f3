-- One look at some shards: works off what is due, hears what was told since the last look, and carries the shards' clocks
-- forward. What fails of one session or of one shard keeps none of the others from their turn.
--
-- KEYS  for each shard: clock, deadlines, stream
-- ARGV  1 slack ms  2 tombstone seconds  3 how many sessions at most, in all  4 how many entries at most, in all
--       5 lifetime of a clock's mark in ms
--       then for each shard: last stream entry seen, "" = begin at the end
-- Reply for each shard {now, ids of the entries of warnings and ends that this look has told, entries {{entry id, {"e", text}}…}, last stream
--       entry seen, 1 = there is more to do at once, 1 = ends are held, what has failed or nil}

local slack, tombstoneSeconds = tonumber(ARGV[1]), ARGV[2]
local sessionsLeft, entriesLeft = tonumber(ARGV[3]), tonumber(ARGV[4])

-- A session that could not be settled is judged again so much later.
local AGAIN_MS = 1000

local function reasonOf(failure)
  return type(failure) == 'table' and failure.err or tostring(failure)
end

local function worked(shard, now)
  local told, busy, failure = {}, false, nil
  local due = redis.call('ZRANGEBYSCORE', shard.deadlines, '-inf', text(now), 'LIMIT', 0, sessionsLeft)
  if #due == 0 then return told, false, nil end
  local keys = {}
  for number, id in ipairs(due) do keys[number] = keyOf(shard.base, id) end
  local values = redis.call('MGET', unpack(keys))
  for number, id in ipairs(due) do
    local isDone, state, _, entry = pcall(settle, shard, id, keys[number], values[number], now, slack, tombstoneSeconds)
    if isDone then
      told[#told + 1] = entry
      if state ~= 'held' then busy = true end
    else
      failure = reasonOf(state)
      file(shard.deadlines, id, now + AGAIN_MS)
    end
  end
  unfile(shard)
  local isMore = #due == sessionsLeft and busy
  sessionsLeft = sessionsLeft - #due
  return told, isMore, failure
end

local function lookAt(number)
  local clock, deadlines, stream = KEYS[number * 3 - 2], KEYS[number * 3 - 1], KEYS[number * 3]
  local now, ahead = nowOf(clock)
  local hold, isNew = holdOf(clock, now)
  if isNew then redis.call('HSET', clock, 'h', text(hold)) end
  redis.call('HSET', clock, 'n', text(now), 'o', text(ahead))
  redis.call('PEXPIRE', clock, ARGV[5])

  local cursor = ARGV[number + 5]
  if cursor == '' then
    local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)
    cursor = last[1] and last[1][1] or '0-0'
  end
  local told, isMore, failure = {}, true, nil
  if sessionsLeft > 0 then
    local shard = { base = baseOf(deadlines), deadlines = deadlines, stream = stream, hold = hold, done = {} }
    told, isMore, failure = worked(shard, now)
  end
  local entries = {}
  if entriesLeft > 0 then
    entries = redis.call('XRANGE', stream, '(' .. cursor, '+', 'COUNT', entriesLeft)
    if #entries > 0 then cursor = entries[#entries][1] end
  end
  entriesLeft = entriesLeft - #entries
  if entriesLeft == 0 then isMore = true end
  return { text(now), told, entries, cursor, isMore and 1 or 0, hold > now and 1 or 0, failure }
end

local replies, failures = {}, {}
for number = 1, #KEYS / 3 do
  local isDone, reply = pcall(lookAt, number)
  if not isDone then failures[#failures + 1] = reasonOf(reply) end
  replies[number] = isDone and reply or { '', {}, {}, ARGV[number + 5], 0, 0, failures[#failures] }
end
-- The server itself, which is a replica or cannot write: for the client to see.
if #failures == #replies then return { err = failures[1] } end
return replies
