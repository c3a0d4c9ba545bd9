-- What the processes said that spoke lately.
-- KEYS[1]  sorted set: process → when it spoke, in milliseconds
-- KEYS[2]  hash: process → what it said
-- ARGV[1]  silence in milliseconds after which a process is not heard any more
-- ARGV[2]  most processes that are answered
-- Reply: what each said
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local since = '(' .. string.format('%.0f', now - ARGV[1])
local there = redis.call('ZRANGEBYSCORE', KEYS[1], since, '+inf', 'LIMIT', 0, ARGV[2])
if #there == 0 then
  return {}
end
return redis.call('HMGET', KEYS[2], unpack(there))
