--[[
  These jobs run.  KEYS and ARGV[1]: slots.lua.  ARGV[2] ms of the lease, ARGV[3] how many of the ids behind it have not been
  counted before: they are now, whatever the limit; of the others only those that are still counted: one may have ended
  while this was on its way.  Reply: how many of the tenant run.
]]
for i = 4, #ARGV do
  local isNew = i - 3 <= tonumber(ARGV[3])
  if isNew or redis.call('ZSCORE', KEYS[1], ARGV[i]) then lease(ARGV[i], tonumber(ARGV[2])) end
end
return redis.call('ZCARD', KEYS[1])
