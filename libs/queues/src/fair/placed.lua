--[[
  A job that again.lua sent back waits again: its priority may be from before the base moved.
  KEYS and ARGV[1]: clock.lua.  ARGV[2]: job id.  Reply: 1, or 0 where the job waits no more.
]]
local start = redis.call('HGET', ARGV[1] .. ARGV[2], 'ft')
if not start or not redis.call('ZSCORE', KEYS[3], ARGV[2]) then return 0 end
place(ARGV[2], tonumber(start))
return 1
