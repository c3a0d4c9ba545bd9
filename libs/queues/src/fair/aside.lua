--[[
  A job is about to leave a worker's hands undone: its next pick is for free, or gets a new tag.
  KEYS[1] hash of the job.  ARGV[1]: the pick that is paid for, or 0.  Its priority becomes 1: looked at as soon as it is back.
]]
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'priority', 1)
if ARGV[1] ~= '0' then redis.call('HSET', KEYS[1], 'fp', ARGV[1]) end
return 1
