-- Tells how many of a tenant's slots are in use, all processes but one together; writes nothing.
-- KEYS[1]  hash of the tenant: process → "leased demand expires since spare_since", see exchange.lua
-- ARGV[1]  process that is left out
-- Reply: slots
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local held = 0
local fields = redis.call('HGETALL', KEYS[1])
for f = 1, #fields, 2 do
  local leased, demand, expires = string.match(fields[f + 1], '^(%d+) (%d+) (%d+) ')
  if leased and fields[f] ~= ARGV[1] and tonumber(expires) > now then
    held = held + math.min(tonumber(leased), tonumber(demand))
  end
end
return held
