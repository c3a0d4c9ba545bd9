-- Invalidates an entry: what is there and what is being loaded. Takes it out of its tenant's budget.
-- KEYS[1]  entry
-- KEYS[2]  lease of a load
-- KEYS[3]  sorted set of the tenant: entry → end
-- KEYS[4]  hash of the tenant: entry → bytes, and total
-- ARGV[1]  the entry's name in them
redis.call('DEL', KEYS[1], KEYS[2])
local counted = redis.call('HGET', KEYS[4], ARGV[1])
if counted then
  redis.call('HDEL', KEYS[4], ARGV[1])
  redis.call('HINCRBY', KEYS[4], 'total', -counted)
  redis.call('ZREM', KEYS[3], ARGV[1])
end
return 1
