--[[
  A job is out of its worker's hands (BullMQ's delayed) because of the limit.  KEYS and ARGV[1]: slots.lua.  ARGV[2] job id,
  ARGV[3] ms until BullMQ brings it back by itself, ARGV[4] tenant.  Reply: 1 where there is room by now: call it back; else 0.
]]
if free() > 0 then return 1 end
redis.call('ZADD', KEYS[2], now, ARGV[2])
redis.call('PEXPIRE', KEYS[2], 2 * tonumber(ARGV[3]))
redis.call('HSET', KEYS[3], ARGV[4], limit)
return 0
