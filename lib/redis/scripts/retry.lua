-- Counts another delivery of an entry to the member that holds it.
--
-- KEYS  1 stream
-- ARGV  1 group  2 consumer  3 entry id
-- Reply deliveries, or 0 if another member has taken the entry over

local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2])[1]
if not pending then return 0 end
-- Claiming one's own entry again counts a delivery and makes it look fresh.
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3])
return pending[4] + 1
