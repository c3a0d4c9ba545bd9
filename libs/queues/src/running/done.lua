--[[
  A job runs no more.  KEYS and ARGV[1]: slots.lua.  ARGV[2] job id.  Reply: ids of those set aside, longest first, for which
  there is room: the caller calls them back.
]]
redis.call('ZREM', KEYS[1], ARGV[2])
local room = free()
if room <= 0 then return {} end
local called = {}
local popped = redis.call('ZPOPMIN', KEYS[2], room)
for i = 1, #popped, 2 do called[#called + 1] = popped[i] end
return called
