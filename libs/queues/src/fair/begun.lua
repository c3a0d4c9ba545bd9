--[[
  A worker has begun jobs.  KEYS and ARGV[1]: clock.lua.  ARGV[2]: the highest of their priorities, 0 for none; ARGV[3]: what
  this script replied when they had not begun yet.  Reply: what priorities count from; '' while that changes.
]]
local unmoved = shift == 0 and ARGV[3] == string.format('%.0f', base)
local priority = tonumber(ARGV[2])
local counts = unmoved and priority > 1 and priority < UNTAGGED
advance(counts and tag_of(priority) or nil)
keep()
return shift == 0 and string.format('%.0f', base) or ''
