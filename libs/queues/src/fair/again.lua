--[[
  A worker has picked up a job that was delayed, failed before, or lost its worker: whose turn is it?
  KEYS and ARGV[1]: clock.lua.  ARGV: [2] job id, [3] how often it has been picked up, [4] tenant, [5] length.
  Reply: 1 to begin, 0 to put it back: this pick has then paid for the next one.
]]
local key = ARGV[1] .. ARGV[2]
local picks = tonumber(ARGV[3])
if tonumber(redis.call('HGET', key, 'fp') or '0') >= picks then
  begun(own_tag(ARGV[2]))
  keep()
  return 1
end
move()
local start = tag_again(ARGV[4], tonumber(ARGV[5]))
local first = head()
local begins = (not first or start <= first) and 1 or 0
if redis.call('EXISTS', key) == 1 then
  place(ARGV[2], start)
  if begins == 0 then redis.call('HSET', key, 'fp', picks + 1) end
end
if begins == 1 then begun(start) end
keep()
return begins
