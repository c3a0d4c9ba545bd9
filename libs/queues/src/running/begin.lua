--[[
  A job is to begin.  KEYS and ARGV[1]: slots.lua.  ARGV[2] job id, ARGV[3] ms of the lease.  Reply: 1, or 0 at the limit.
]]
if not redis.call('ZSCORE', KEYS[1], ARGV[2]) and free() <= 0 then return 0 end
lease(ARGV[2], tonumber(ARGV[3]))
redis.call('ZREM', KEYS[2], ARGV[2])
return 1
