--[[
  The roll of the workers of a class.  KEYS[1] sorted set: worker and its slots, as `id slots` -> when it is forgotten, ms.
  ARGV[1] id, or '' to only look; ARGV[2] its slots, 0 when it goes; ARGV[3] ms until it is forgotten.  Reply: slots of all, workers.
]]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if ARGV[1] ~= '' then
  local own = ARGV[1] .. ' ' .. ARGV[2]
  for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if string.sub(member, 1, #ARGV[1] + 1) == ARGV[1] .. ' ' and member ~= own then redis.call('ZREM', KEYS[1], member) end
  end
  if ARGV[2] ~= '0' then
    redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), own)
    redis.call('PEXPIRE', KEYS[1], 2 * tonumber(ARGV[3]))
  end
end
local slots, workers = 0, redis.call('ZRANGE', KEYS[1], 0, -1)
for _, member in ipairs(workers) do slots = slots + tonumber(string.match(member, '(%d+)$')) end
return {slots, #workers}
