--[[
  These jobs run, whatever the limit.  KEYS and ARGV[1]: slots.lua.  ARGV[2] ms of the lease, ARGV[3..] job ids.  Reply: how
  many of the tenant run.
]]
for i = 3, #ARGV do lease(ARGV[i], tonumber(ARGV[2])) end
return redis.call('ZCARD', KEYS[1])
