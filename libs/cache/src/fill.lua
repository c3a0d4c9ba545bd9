-- Stores a value, unless something it hangs on was invalidated since its load began, and keeps its tenant within its budget:
-- what it has beyond goes, the entries that end soonest first.
-- KEYS[1]   entry: stamp, a line feed, payload
-- KEYS[2]   lease of the load; an invalidation of the entry has deleted it
-- KEYS[3]   sorted set of the tenant: entry → end, Unix milliseconds
-- KEYS[4]   hash of the tenant: entry → bytes, and total
-- KEYS[5…]  the versions the entry hangs on
-- ARGV[1]  name of the lease
-- ARGV[2]  stamp under which the load began
-- ARGV[3]  payload
-- ARGV[4]  milliseconds after which it ends
-- ARGV[5]  life of versions and index in milliseconds, longer than that of any entry
-- ARGV[6]  bytes that it counts as
-- ARGV[7]  budget of the tenant in bytes
-- ARGV[8]  the entry's name in KEYS[3] and KEYS[4]
-- ARGV[9]  what makes the key of an entry, put before its name; of the same slot
-- Reply: 1 when it was stored, 0 when it was invalidated meanwhile, -1 when it does not fit
local MOST_EVICTED = 200
local MOST_ENDED = 50

if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[2])
local versions = redis.call('MGET', unpack(KEYS, 5))
for i = 1, #KEYS - 4 do
  if not versions[i] then
    return 0
  end
end
if table.concat(versions, ' ') ~= ARGV[2] then
  return 0
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local size, budget = tonumber(ARGV[6]), tonumber(ARGV[7])

-- Takes an entry out of the index; answers what was counted for it.
local function uncount(member)
  local counted = tonumber(redis.call('HGET', KEYS[4], member) or 0)
  redis.call('HDEL', KEYS[4], member)
  redis.call('ZREM', KEYS[3], member)
  return counted
end

local total = tonumber(redis.call('HGET', KEYS[4], 'total') or 0) - uncount(ARGV[8])
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now), 'LIMIT', 0, MOST_ENDED)) do
  total = total - uncount(member)
end
local evicted = 0
while size <= budget and total + size > budget and evicted < MOST_EVICTED do
  local member = redis.call('ZRANGE', KEYS[3], 0, 0)[1]
  if not member then
    total = 0
  else
    redis.call('DEL', ARGV[9] .. member)
    total = total - uncount(member)
    evicted = evicted + 1
  end
end
local fits = total + size <= budget
if fits then
  redis.call('SET', KEYS[1], ARGV[2] .. '\n' .. ARGV[3], 'PX', ARGV[4])
  for i = 5, #KEYS do
    redis.call('PEXPIRE', KEYS[i], ARGV[5])
  end
  redis.call('ZADD', KEYS[3], string.format('%.0f', now + ARGV[4]), ARGV[8])
  redis.call('HSET', KEYS[4], ARGV[8], size)
  total = total + size
end
redis.call('HSET', KEYS[4], 'total', string.format('%.0f', total))
redis.call('PEXPIRE', KEYS[3], ARGV[5])
redis.call('PEXPIRE', KEYS[4], ARGV[5])
return fits and 1 or -1
