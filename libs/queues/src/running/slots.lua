--[[
  The jobs of one tenant in one class that run, over all workers, and those set aside until one of them ends; shared by the
  scripts of this folder (each is this file and its own behind it).

    KEYS[1] sorted set: job id -> end of its lease, ms by the clock of Redis
    KEYS[2] sorted set: job id of one set aside -> when it was, or was last called
    KEYS[3] hash: tenants of the class that have jobs set aside -> their limit
    ARGV[1] the tenant's limit

  A worker renews the leases of what it runs. One that died leaves slots that come back by themselves.
]]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local limit = tonumber(ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)

local function free()
  return limit - redis.call('ZCARD', KEYS[1])
end

local function lease(job, ms)
  redis.call('ZADD', KEYS[1], now + ms, job)
  redis.call('PEXPIRE', KEYS[1], 2 * ms)
end
