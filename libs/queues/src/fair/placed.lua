--[[
  A job that again.lua sent back waits again: its priority may be from before the base moved.
  KEYS and ARGV[1]: clock.lua.  ARGV[2]: job id.  Reply: 1, or 0 where the job waits no more.
]]
local start = redis.call('ZSCORE', KEYS[3], ARGV[2]) and own_tag(ARGV[2])
if not start then return 0 end
place(ARGV[2], start)
return 1
