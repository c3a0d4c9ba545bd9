--[[
  Tags jobs that are about to be added, in this order.  KEYS and ARGV[1]: clock.lua.  ARGV[2..]: tenant and length (cost /
  weight) of each.  Reply: of each its tag, as text, and the priority to add it with.
]]
advance()
move()
local finishes, tags = {}, {}
for i = 2, #ARGV, 2 do
  local tenant = ARGV[i]
  local known = finishes[tenant] or tonumber(redis.call('ZSCORE', KEYS[2], tenant) or '0')
  local start, finish = next_tag(known, tonumber(ARGV[i + 1]))
  finishes[tenant] = finish
  tags[#tags + 1] = string.format('%.17g', start)
  tags[#tags + 1] = priority_of(start)
end
for tenant, finish in pairs(finishes) do redis.call('ZADD', KEYS[2], string.format('%.17g', finish), tenant) end
keep()
return tags
