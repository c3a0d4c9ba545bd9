-- Notes that a process is there and counts those that were heard of lately.
-- KEYS[1]  sorted set: process → when it was last heard of, in milliseconds
-- ARGV[1]  process
-- ARGV[2]  silence in milliseconds after which a process is forgotten; 0 takes leave of this one
-- Reply: number of processes
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local silence = tonumber(ARGV[2])
if silence == 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - silence))
  redis.call('PEXPIRE', KEYS[1], silence)
end
return redis.call('ZCARD', KEYS[1])
