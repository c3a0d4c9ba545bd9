--[[
  An urgent job changes places with the first of some less urgent ones of its tenant that waits, if that is before it.
  KEYS and ARGV[1]: clock.lua.  ARGV[2]: id of the urgent one; ARGV[3..]: ids of the others.  Reply: 1 if it did.
]]
local function take(id, start, score)
  redis.call('ZADD', KEYS[3], score, id)
  redis.call('HSET', ARGV[1] .. id, 'priority', math.floor(tonumber(score) / SCALE), 'ft', string.format('%.17g', start))
end

local id = ARGV[2]
local score = redis.call('ZSCORE', KEYS[3], id)
local own = score and own_tag(id)
for i = 3, own and #ARGV or 0 do
  local before = redis.call('ZSCORE', KEYS[3], ARGV[i])
  local other = before and tonumber(before) < tonumber(score) and own_tag(ARGV[i])
  if other then
    take(ARGV[i], own, score)
    take(id, other, before)
    return 1
  end
end
return 0
