--[[
  A job runs no more.  KEYS and ARGV[1]: slots.lua.  ARGV[2] job id, or '' to only look for room; ARGV[3] tenant; ARGV[4]: only
  those of which nothing was heard for so many ms.  Reply: ids of those set aside, longest first, for which there is room: the
  caller calls them back. They stay set aside until they begin, behind the others, so that a call which is lost is repeated.
]]
redis.call('ZREM', KEYS[1], ARGV[2])
local called, room = {}, free()
if room > 0 then
  called = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[4]), 'LIMIT', 0, room)
  for _, id in ipairs(called) do redis.call('ZADD', KEYS[2], now, id) end
end
if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('HDEL', KEYS[3], ARGV[3]) end
return called
