-- One look at some shards: works off what is due, hears what was told since the last look, and carries the shards' clocks
-- forward.
--
-- KEYS  for each shard: clock, deadlines, stream
-- ARGV  1 slack ms  2 tombstone seconds  3 how many sessions at most, in all  4 how many entries at most, in all
--       5 lifetime of a clock's mark in ms
--       then for each shard: last stream entry seen, "" = begin at the end
-- Reply for each shard {now, ids of the entries of warnings and ends that this look has told, entries {{entry id, {"e", text}}…}, last stream
--       entry seen, 1 = there is more to do at once, 1 = ends are held}

local slack, tombstoneSeconds = tonumber(ARGV[1]), ARGV[2]
local sessionsLeft, entriesLeft = tonumber(ARGV[3]), tonumber(ARGV[4])

local function worked(shard, now)
  local told, busy = {}, false
  local due = redis.call('ZRANGEBYSCORE', shard.deadlines, '-inf', text(now), 'LIMIT', 0, sessionsLeft)
  if #due == 0 then return told, false end
  local keys = {}
  for number, id in ipairs(due) do keys[number] = keyOf(shard.base, id) end
  local values = redis.call('MGET', unpack(keys))
  for number, id in ipairs(due) do
    local state, _, entry = settle(shard, id, keys[number], values[number], now, slack, tombstoneSeconds)
    told[#told + 1] = entry
    if state ~= 'held' then busy = true end
  end
  unfile(shard)
  local isMore = #due == sessionsLeft and busy
  sessionsLeft = sessionsLeft - #due
  return told, isMore
end

local replies = {}
for number = 1, #KEYS / 3 do
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
  local told, isMore = {}, true
  if sessionsLeft > 0 then
    local shard = { base = baseOf(deadlines), deadlines = deadlines, stream = stream, hold = hold, done = {} }
    told, isMore = worked(shard, now)
  end
  local entries = {}
  if entriesLeft > 0 then
    entries = redis.call('XRANGE', stream, '(' .. cursor, '+', 'COUNT', entriesLeft)
    if #entries > 0 then cursor = entries[#entries][1] end
  end
  entriesLeft = entriesLeft - #entries
  if entriesLeft == 0 then isMore = true end
  replies[number] = { text(now), told, entries, cursor, isMore and 1 or 0, hold > now and 1 or 0 }
end
return replies
