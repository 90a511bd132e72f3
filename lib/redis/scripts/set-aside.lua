-- Puts an entry that its handler cannot work off among the dead letters, and acknowledges it then: what cannot be put there
-- stays in hand.
--
-- KEYS  1 stream  2 dead letters
-- ARGV  1 group  2 entry id  3 why  4 deliveries  5 how many dead letters are kept, about
-- Reply 1 = done, 0 = the entry was settled before

if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1) == 0 then return 0 end
local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
local letter = { 'group', ARGV[1], 'entry', ARGV[2], 'why', ARGV[3], 'deliveries', ARGV[4] }
for _, value in ipairs(entry and entry[2] or {}) do letter[#letter + 1] = value end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', unpack(letter))
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return 1
