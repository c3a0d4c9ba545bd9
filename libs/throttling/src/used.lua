-- Tells what of several limits is used, and takes and writes nothing.
-- KEYS     counters, which live in one slot
-- ARGV     for each of them 'sliding', 'bucket' or 'aligned'; window; how long a counter lives from its last whole write. In milliseconds
-- Reply: what is used of each
--
-- Counters are read as take.lua reads them, and what each of them holds is said there.
local read = struct.unpack
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = (micros - micros % 1000) / 1000
local reply = {}

for i, value in ipairs(redis.call('MGET', unpack(KEYS))) do
  local kind, window, life = ARGV[3 * i - 2], tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local used = 0
  if value and kind == 'aligned' then
    local units, number = read('<dd', value)
    if number >= (now - now % window) / window then
      used = units
    end
  elseif value and kind == 'sliding' then
    local width = life - window
    local gone = (now - window - (now - window) % width) / width - 1
    local newest, units, past = read('<ddd', value)
    if newest > gone then
      used = units + past
      for byte = 33, #value, 16 do
        local bucket, counted = read('<dd', value, byte)
        if bucket > gone then
          break
        end
        used = used - counted
      end
    end
  elseif value then
    for byte = 1, #value, 8 do
      if read('<d', value, byte) > micros then
        used = used + 1
      end
    end
  end
  reply[i] = used
end
return reply
