-- A member leaves its group for good. What it has not worked off becomes free for the others at once.
--
-- KEYS  1 stream
-- ARGV  1 group  2 consumer
-- Reply how many entries it leaves behind

local left = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 10000, ARGV[2])
if left.err then return 0 end
for _, pending in ipairs(left) do
  -- Idle for a day: whoever looks next takes it over.
  redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, pending[1], 'IDLE', 86400000, 'JUSTID')
end
if #left == 0 then redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2]) end
return #left
