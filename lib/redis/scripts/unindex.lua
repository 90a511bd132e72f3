-- Takes ended sessions out of their users' indexes, unless the id has another life by now.
--
-- KEYS  indexes of users, one for each session
-- ARGV  for each session: id, number of the life
-- Reply nil

for number = 1, #KEYS do
  local id, life = ARGV[number * 2 - 1], ARGV[number * 2]
  if redis.call('HGET', KEYS[number], id) == life then redis.call('HDEL', KEYS[number], id) end
end
