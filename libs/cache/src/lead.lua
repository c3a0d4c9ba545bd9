-- Decides who loads a value that was not found, or is only stale. Versions that are not there are made.
-- KEYS[1]   entry: stamp, a line feed, payload
-- KEYS[2]   lease: name of the load that is under way
-- KEYS[3…]  the versions that the entry hangs on; their texts, joined by blanks, are its stamp
-- ARGV[1]  name of the lease, a new random text; also the version, where one is missing
-- ARGV[2]  life of the lease in milliseconds
-- ARGV[3]  life of a new version in milliseconds, longer than that of any entry
-- ARGV[4]  what an entry must have left in milliseconds, not to be stale
-- ARGV[5]  '1' where the payload was found to be of no use
-- Reply: {1, entry}          it is there
--        {2}                 somebody loads it: look again
--        {3, stamp}          the caller is to load it, and to fill it in
--        {4, stamp, entry}   the same; it may serve this entry meanwhile
local versions = redis.call('MGET', unpack(KEYS, 3))
for i = 1, #KEYS - 2 do
  if not versions[i] then
    versions[i] = ARGV[1]
    redis.call('SET', KEYS[i + 2], ARGV[1], 'PX', ARGV[3])
  end
end
local stamp = table.concat(versions, ' ')

local entry = redis.call('GET', KEYS[1])
local valid = entry and ARGV[5] ~= '1' and string.sub(entry, 1, #stamp + 1) == stamp .. '\n'
if valid and redis.call('PTTL', KEYS[1]) > tonumber(ARGV[4]) then
  return { 1, entry }
end
valid = valid and #entry > #stamp + 1 -- "there is none" is not served stale
if not redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
  if valid then
    return { 1, entry }
  end
  return { 2 }
end
if valid then
  return { 4, stamp, entry }
end
return { 3, stamp }
