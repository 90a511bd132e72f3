-- The next entries of a stream for a member of a group of handlers. In a script, so that the reply has one form whatever
-- the client and its protocol version.
--
-- KEYS  1 stream
-- ARGV  1 group  2 consumer  3 how many at most
-- Reply entries {{entry id, {field, value…}}…}

local reply = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[3], 'STREAMS', KEYS[1], '>')
return reply and reply[1][2] or {}
