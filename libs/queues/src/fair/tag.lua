--[[
  Tags jobs that have just been added.  KEYS and ARGV[1]: clock.lua.  ARGV[2..], of each: job id, tenant, length (cost /
  weight), number of less urgent jobs of the tenant, their ids. It changes places with the first of those that waits and is before
  it. A job that has its tag, or is gone, is passed over.  Reply: how many were tagged.
]]
advance(nil)
move()
local tagged = 0
local at = 2
while at <= #ARGV do
  local id, others = ARGV[at], tonumber(ARGV[at + 3])
  local key = ARGV[1] .. id
  if redis.call('HEXISTS', key, 'ft') == 0 and redis.call('EXISTS', key) == 1 then
    local start = tag(ARGV[at + 1], tonumber(ARGV[at + 2]))
    for i = at + 4, at + 3 + others do
      local other = redis.call('ZSCORE', KEYS[3], ARGV[i]) and redis.call('HGET', ARGV[1] .. ARGV[i], 'ft')
      if other and tonumber(other) < start then
        place(ARGV[i], start)
        start = tonumber(other)
        break
      end
    end
    place(id, start)
    tagged = tagged + 1
  end
  at = at + 4 + others
end
keep()
return tagged
