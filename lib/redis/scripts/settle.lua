-- Works off a session whose deadline may have come: a living one is filed again; a warning is told; an end leaves a
-- tombstone in place of the record and is told, in the one script: nothing can be lost between, and one caller ends it.
-- A provisional record that nobody has asked for until it was due is nobody's: only its data has to be removed.
--
-- Those that are filed no longer are collected in `shard.done`, for unfile() to take out together.
--
-- Answers "gone", "alive", "held" (see holdOf), "warn" or "expire"; what was told, and its entry's id.
local function settle(shard, id, key, value, now, slack, tombstoneSeconds)
  local record = recordOf(value)
  if not record then
    shard.done[#shard.done + 1] = id
    if not graveIn(value) then redis.call('DEL', key) end
    return 'gone'
  end
  if record.p and shard.isLook then
    if now < shard.hold then
      file(shard.deadlines, id, shard.hold)
      return 'held'
    end
    tell(shard.stream, 'moved', id, value, now)
    bury(key, 'replaced', now, tombstoneSeconds)
    shard.done[#shard.done + 1] = id
    unindex(shard.base, id, record)
    return 'gone'
  end
  if record.p then
    update(key, record)
    value = valueOf(record)
  end
  -- A stamp of the future is corrected before it becomes believable by the passing of time.
  if record.a > now then
    record.a = now
    update(key, record)
    value = valueOf(record)
  end
  local verdict = judge(record, now, slack)
  if verdict.phase == 'expired' then
    if verdict.reason == 'idle' and now < shard.hold then
      file(shard.deadlines, id, shard.hold)
      return 'held'
    end
    -- Told first: what cannot be told is not ended, and is judged again.
    local told, entry = tell(shard.stream, 'end', id, value, now, verdict.reason, verdict.expireAt)
    bury(key, verdict.reason, now, tombstoneSeconds)
    shard.done[#shard.done + 1] = id
    unindex(shard.base, id, record)
    return 'expire', told, entry
  end
  if verdict.phase == 'warning' and not record.w then
    record.w = true
    local told, entry = tell(shard.stream, 'warn', id, valueOf(record), now, verdict.reason, verdict.warnAt)
    update(key, record)
    file(shard.deadlines, id, judge(record, now, slack).dueAt)
    return 'warn', told, entry
  end
  file(shard.deadlines, id, verdict.dueAt)
  return 'alive'
end

local function unfile(shard)
  if #shard.done > 0 then redis.call('ZREM', shard.deadlines, unpack(shard.done)) end
end
