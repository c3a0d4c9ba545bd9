-- Checks several limits and, when none is reached, takes one unit of each: all or nothing.
-- KEYS[i]      counter of check i; all share a hash tag
-- ARGV[3i-2]   'sliding', 'fixed' or 'aligned'
-- ARGV[3i-1]   limit
-- ARGV[3i]     window in milliseconds
-- Reply: {admitted (1 or 0), used 1, milliseconds until quota returns 1, used 2, …}; `used` includes what was taken
--
-- fixed:   a string that counts and expires one window after its first unit.
-- aligned: a hash of one field, the number of the window in Unix time → units; another number counts for nothing.
-- sliding: a hash of sixtieths of the window (number of the bucket → units). A bucket counts until its end is a whole
--          window ago, so no stretch of one window ever sees more than the limit; quota returns up to a sixtieth late.
local BUCKETS = 60
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local reply = { 1 }

-- Which stretch of a length a time is in, as text: %.0f, as a number otherwise keeps 14 digits only.
local function number_of(at, length)
  return string.format('%.0f', math.floor(at / length))
end

for i, key in ipairs(KEYS) do
  local limit, window = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local used, reset = 0, window
  if ARGV[3 * i - 2] == 'fixed' then
    used = tonumber(redis.call('GET', key) or 0)
    if used > 0 then
      reset = redis.call('PTTL', key)
    end
  elseif ARGV[3 * i - 2] == 'aligned' then
    used = tonumber(redis.call('HGET', key, number_of(now, window)) or 0)
    reset = window - now % window
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
  elseif ARGV[3 * i - 2] == 'aligned' then
    if reply[2 * i] == 0 then
      redis.call('DEL', key)
      redis.call('HSET', key, number_of(now, window), 0)
      redis.call('PEXPIRE', key, window)
    end
    redis.call('HINCRBY', key, number_of(now, window), 1)
  else
    local width = math.ceil(window / BUCKETS)
    redis.call('HINCRBY', key, number_of(now, width), 1)
    redis.call('PEXPIRE', key, window + width)
  end
  reply[2 * i] = reply[2 * i] + 1
end
return reply
