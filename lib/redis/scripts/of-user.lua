-- The sessions of a user in some shards, as far as the index can tell: users may share a tag.
--
-- KEYS  the index in each shard
-- ARGV  1 the tag of the user, with which the fields of their sessions begin
-- Reply ids

local ids = {}
for _, key in ipairs(KEYS) do
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, #ARGV[1]) == ARGV[1] then ids[#ids + 1] = string.sub(field, #ARGV[1] + 1) end
  end
end
return ids
