--[[
  The roll of the workers of a class.  KEYS[1] sorted set: `id slots service` of each worker -> when it is forgotten, ms.
  ARGV[1] id, or '' to only look; ARGV[2] its slots, 0 when it goes; ARGV[3] ms until it is forgotten; ARGV[4] how long its
  jobs take, ms, or '' where it has run none.
  Reply: slots of all, workers, and how long jobs take: the mean of who ran some, by slots, as text; '' where nobody did.
]]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if ARGV[1] ~= '' then
  for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if string.sub(member, 1, #ARGV[1] + 1) == ARGV[1] .. ' ' then redis.call('ZREM', KEYS[1], member) end
  end
  if ARGV[2] ~= '0' then
    redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), table.concat({ARGV[1], ARGV[2], ARGV[4]}, ' '))
    redis.call('PEXPIRE', KEYS[1], 2 * tonumber(ARGV[3]))
  end
end
local slots, busy, time = 0, 0, 0
local workers = redis.call('ZRANGE', KEYS[1], 0, -1)
for _, member in ipairs(workers) do
  local own, service = string.match(member, ' (%d+) (%S*)$')
  slots = slots + tonumber(own)
  if service ~= '' then busy, time = busy + tonumber(own), time + tonumber(own) * tonumber(service) end
end
return {slots, #workers, busy > 0 and string.format('%.3f', time / busy) or ''}
