--[[
  Tags jobs that are about to be added.  KEYS and ARGV[1]: clock.lua.  ARGV[2..], for runs of equal jobs of a tenant, its own in
  order: tenant, length (cost / weight) of each, number.  Reply: now, base, shift and the priority that the move has come to
  (0 while there is none), then for each run the finish tag before it: tags.ts makes tags and priorities of these by the
  same rules as next_tag and priority_of. As text, for they may be fractions.
]]
advance()
move()
local finishes, before = {}, {}
for i = 2, #ARGV, 3 do
  local tenant, length = ARGV[i], tonumber(ARGV[i + 1])
  local finish = finishes[tenant] or tonumber(redis.call('ZSCORE', KEYS[2], tenant) or '0')
  before[#before + 1] = string.format('%.17g', finish)
  for _ = 1, tonumber(ARGV[i + 2]) do
    local _, next_finish = next_tag(finish, length)
    finish = next_finish
  end
  finishes[tenant] = finish
end
for tenant, finish in pairs(finishes) do redis.call('ZADD', KEYS[2], string.format('%.17g', finish), tenant) end
local reply = {
  string.format('%.17g', now), string.format('%.0f', base), string.format('%.0f', shift),
  string.format('%.0f', shift > 0 and math.floor(cursor / SCALE) or 0),
}
for _, finish in ipairs(before) do reply[#reply + 1] = finish end
keep()
return reply
