-- Checks several limits and, when none is reached, takes one unit of each: all or nothing.
-- KEYS[i]      counter of check i; all share a hash tag
-- ARGV[3i-2]   'sliding' or 'fixed'
-- ARGV[3i-1]   limit
-- ARGV[3i]     window in milliseconds
-- Reply: {admitted (1 or 0), used 1, milliseconds until quota returns 1, used 2, …}; `used` includes what was taken
--
-- fixed:   a string that counts and expires one window after its first unit.
-- sliding: a hash of sixtieths of the window (number of the bucket → units). A bucket counts until its end is a whole
--          window ago, so no stretch of one window ever sees more than the limit; quota returns up to a sixtieth late.
local BUCKETS = 60
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local reply = { 1 }

for i, key in ipairs(KEYS) do
  local limit, window = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local used, reset = 0, window
  if ARGV[3 * i - 2] == 'fixed' then
    used = tonumber(redis.call('GET', key) or 0)
    if used > 0 then
      reset = redis.call('PTTL', key)
    end
  else
    local width = math.ceil(window / BUCKETS)
    local buckets = redis.call('HGETALL', key)
    reset = (math.floor(now / width) + 1) * width + window - now
    for f = 1, #buckets, 2 do
      local remaining = (tonumber(buckets[f]) + 1) * width + window - now
      if remaining <= 0 then
        redis.call('HDEL', key, buckets[f])
      else
        used = used + tonumber(buckets[f + 1])
        reset = math.min(reset, remaining)
      end
    end
  end
  if used >= limit then
    reply[1] = 0
  end
  reply[2 * i] = used
  reply[2 * i + 1] = reset
end

if reply[1] == 0 then
  return reply
end

for i, key in ipairs(KEYS) do
  local window = tonumber(ARGV[3 * i])
  if ARGV[3 * i - 2] == 'fixed' then
    if redis.call('INCR', key) == 1 then
      redis.call('PEXPIRE', key, window)
    end
  else
    local width = math.ceil(window / BUCKETS)
    -- %.0f, as a number turned into text otherwise keeps 14 digits only
    redis.call('HINCRBY', key, string.format('%.0f', math.floor(now / width)), 1)
    redis.call('PEXPIRE', key, window + width)
  end
  reply[2 * i] = reply[2 * i] + 1
end
return reply
