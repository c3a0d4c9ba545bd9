-- Stores a value, unless the entry or its namespace was invalidated since the versions were read.
-- KEYS[1]  entry: hash of version, namespace_version, payload
-- KEYS[2]  version of the tenant's namespace
-- ARGV[1]  namespace version under which the value was loaded
-- ARGV[2]  entry version under which the value was loaded
-- ARGV[3]  payload
-- ARGV[4]  life of the value in milliseconds
-- ARGV[5]  life of the namespace version in milliseconds, longer than that of any value
-- Reply: 1 when it was stored, else 0
if redis.call('GET', KEYS[2]) ~= ARGV[1] or redis.call('HGET', KEYS[1], 'version') ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'namespace_version', ARGV[1], 'payload', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return 1
