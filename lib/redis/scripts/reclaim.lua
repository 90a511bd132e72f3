-- Takes over entries that a member of the group has left lying: it died, or its handler neither finished nor failed.
--
-- KEYS  1 stream
-- ARGV  1 group  2 consumer  3 idle ms from which an entry is taken over  4 how many at most
-- Reply for each entry {entry id, deliveries so far, fields or nil if it was trimmed away}

local left = redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[3], '-', '+', ARGV[4])
local taken = {}
for _, pending in ipairs(left) do
  local id, deliveries = pending[1], pending[4]
  local entry = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], id)[1]
  if not entry then
    redis.call('XACK', KEYS[1], ARGV[1], id)
  else
    taken[#taken + 1] = { id, deliveries + 1, entry[2] }
  end
end
return taken
