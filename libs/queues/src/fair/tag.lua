--[[
  Tags jobs that have just been added.  KEYS and ARGV[1]: clock.lua.  ARGV[2..]: job id, tenant, length (cost / weight) of
  each. A job that has its tag, or is gone, is passed over.  Reply: how many were tagged.
]]
advance(nil)
move()
local tagged = 0
for i = 2, #ARGV, 3 do
  local key = ARGV[1] .. ARGV[i]
  if redis.call('HEXISTS', key, 'ft') == 0 and redis.call('EXISTS', key) == 1 then
    place(ARGV[i], tag(ARGV[i + 1], tonumber(ARGV[i + 2])))
    tagged = tagged + 1
  end
end
keep()
return tagged
