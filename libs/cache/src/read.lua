-- Reads an entry and the versions under which a value may be filled in. Versions that are not there are made.
-- KEYS[1]  entry: hash of version, namespace_version, payload
-- KEYS[2]  version of the tenant's namespace
-- ARGV[1]  a new random version
-- ARGV[2]  life of a new entry without a value, in milliseconds: the longest time a load may take
-- ARGV[3]  life of a new namespace version, in milliseconds
-- Reply: {namespace version, entry version} and, when there is a valid value, its payload as third element
local namespace = redis.call('GET', KEYS[2])
if not namespace then
  namespace = ARGV[1]
  redis.call('SET', KEYS[2], namespace, 'PX', ARGV[3])
end
local entry = redis.call('HMGET', KEYS[1], 'version', 'namespace_version', 'payload')
local version = entry[1]
if not version then
  version = ARGV[1]
  redis.call('HSET', KEYS[1], 'version', version)
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
if entry[3] and entry[2] == namespace then
  return { namespace, version, entry[3] }
end
return { namespace, version }
