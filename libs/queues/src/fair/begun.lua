--[[
  A worker has begun jobs.  KEYS and ARGV[1]: clock.lua.  ARGV[2]: the highest of their tags.  Reply: virtual time, as text.
]]
begun(tonumber(ARGV[2]))
keep()
return string.format('%.17g', now)
