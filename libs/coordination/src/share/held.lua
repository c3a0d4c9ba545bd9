-- Tells how many of a tenant's slots are in use, all processes together; writes nothing.
-- KEYS[1]  hash of the tenant: process → "leased demand expires since spare_since", see exchange.lua
-- Reply: slots
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local held = 0
for _, lease in ipairs(redis.call('HVALS', KEYS[1])) do
  local leased, demand, expires = string.match(lease, '^(%d+) (%d+) (%d+) ')
  if leased and tonumber(expires) > now then
    held = held + math.min(tonumber(leased), tonumber(demand))
  end
end
return held
