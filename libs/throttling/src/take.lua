-- Checks several limits and, when none is reached, takes one unit of each: all or nothing.
-- KEYS[i]      counter of check i; all share a hash tag
-- ARGV[3i-2]   'sliding', 'bucket', 'fixed' or 'aligned'
-- ARGV[3i-1]   limit
-- ARGV[3i]     window in milliseconds
-- Reply: {admitted (1 or 0), used 1, milliseconds until quota returns 1, used 2, …}; `used` includes what was taken
--
-- One MGET reads all counters, and one write each takes. They are packed doubles, exact up to 2^53, but for `fixed`.
-- fixed:   units, a whole number that expires one window after the first of them.
-- aligned: units, number of the window in Unix time; another number counts for nothing.
-- sliding: number of the newest sixtieth of the window, its units, units of those before, number of the oldest; then number
--          and units of each of those before, oldest first. A sixtieth counts until its end is a whole window ago, so no
--          stretch of one window ever sees more than the limit; quota returns up to a sixtieth late. Those that have
--          expired are looked for only when the oldest has.
-- bucket:  when each token that is out comes back, in microseconds, the first first; some before them may be back. Each
--          of the `limit` tokens follows the generic cell rate algorithm by itself (GCRA, ITU-T I.371 and ATM Forum TM
--          4.0, virtual scheduling) with an increment of one window and no tolerance: it may be taken again one window
--          after it was taken, and a request takes the one that is due first. So a rested bucket gives `limit` at once,
--          tokens return one by one in the rhythm in which they were taken, and no stretch of one window ever sees more
--          than the limit. One GCRA for the whole bucket cannot do all three: with a burst of `limit` and as many a
--          window it lets 2 × limit − 1 through; where burst + rate × window ≤ limit, a burst is less than the limit.
--
-- Time is that of Redis. When its clock was set back, what is on record as later counts as of now.
local SIXTIETHS = 60
local call, pack, read = redis.call, struct.pack, struct.unpack

-- Fixed windows alone, such as those of attempts to log in: taken, and given back when one of them was one too many.
local fixed = true
for i = 1, #KEYS do
  fixed = fixed and ARGV[3 * i - 2] == 'fixed'
end
if fixed then
  local reply = { 1, 0, 0 }
  for i = 1, #KEYS do
    local key, window = KEYS[i], tonumber(ARGV[3 * i])
    local units, reset = call('INCR', key), window
    if units > 1 then
      reset = call('PTTL', key)
    end
    if units == 1 or reset < 0 or reset > window then
      reset = window
      call('PEXPIRE', key, window)
    end
    if units > tonumber(ARGV[3 * i - 1]) then
      reply[1] = 0
    end
    reply[2 * i], reply[2 * i + 1] = units, reset
  end
  if reply[1] == 0 then
    for i = 1, #KEYS do
      reply[2 * i] = call('DECR', KEYS[i])
    end
  end
  return reply
end

local time = call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = (micros - micros % 1000) / 1000
local values = call('MGET', unpack(KEYS))
local reply = { 1, 0, 0 }
-- What taking from check i writes, and where in the value; below 0 it is all of the value, with minus its life in milliseconds;
-- nowhere adds one.
local written, place = { 0, 0, 0 }, { 0, 0, 0 }

for i = 1, #KEYS do
  local key, kind, limit, window = KEYS[i], ARGV[3 * i - 2], tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local value = values[i]
  local used, reset = 0, window

  if kind == 'fixed' then
    written[i], place[i] = 1, -window
    if value and value ~= '0' then
      used, reset, place[i] = tonumber(value), call('PTTL', key), false
      if reset < 0 or reset > window then
        reset = window
        call('PEXPIRE', key, window)
      end
    end
  elseif kind == 'aligned' then
    local since = now % window
    local number, units, newest = (now - since) / window, 0, -1
    reset = window - since
    if value then
      units, newest = read('<dd', value)
    end
    if newest > number then
      newest = number
      call('SET', key, pack('<dd', units, newest), 'PX', window)
    end
    if newest == number then
      used = units
      written[i], place[i] = pack('<d', units + 1), 0
    else
      written[i], place[i] = pack('<dd', 1, number), -window
    end
  elseif kind == 'sliding' then
    local width = window / SIXTIETHS
    width = width + -width % 1
    local number, begin = (now - now % width) / width, 33
    -- The last sixtieth that does not count any more.
    local gone = (now - window - (now - window) % width) / width - 1
    local newest, units, past, oldest = nil, 0, 0, number
    if value then
      newest, units, past, oldest = read('<dddd', value)
    end
    if newest and newest <= gone then
      newest, units, past, oldest, begin = nil, 0, 0, number, #value + 1
    elseif newest and (newest > number or oldest <= gone) then
      if newest > number then
        newest, units, past, begin = number, units + past, 0, #value + 1
      end
      oldest = newest
      while begin <= #value do
        local bucket, counted = read('<dd', value, begin)
        if bucket > gone then
          oldest = bucket
          break
        end
        past, begin = past - counted, begin + 16
      end
      value = pack('<dddd', newest, units, past, oldest) .. string.sub(value, begin)
      begin = 33
      call('SET', key, value, 'PX', window + width)
    end
    used, reset = units + past, (oldest + 1) * width + window - now
    if newest == number then
      written[i], place[i] = pack('<d', units + 1), 8
    else
      local before = value and string.sub(value, begin) or ''
      if newest then
        before = before .. pack('<dd', newest, units)
      end
      written[i], place[i] = pack('<dddd', number, 1, used, oldest) .. before, -window - width
    end
  else
    local latest = micros + window * 1000
    local sixtieth = window / SIXTIETHS
    sixtieth = (sixtieth + -sixtieth % 1) * 1000
    local life, token = window + sixtieth / 1000, pack('<d', latest)
    if not value then
      written[i], place[i] = token, -life
    else
      local size = #value
      local first, last = read('<d', value), read('<d', value, size - 7)
      if last > latest then
        local tokens = {}
        for at = 1, size, 8 do
          tokens[#tokens + 1] = pack('<d', math.min(read('<d', value, at), latest))
        end
        value, last = table.concat(tokens), latest
        call('SET', key, value, 'PX', life)
      end
      -- Bytes of those that are back: by halves, between `back` and `out` from which on none is.
      local back, out = 0, size
      if first <= micros then
        back = 8
        while back < out do
          local middle = (back + out) / 2
          middle = middle - middle % 8
          if read('<d', value, middle + 1) <= micros then
            back = middle + 8
          else
            out = middle
          end
        end
      end
      used = (size - back) / 8
      if used > 0 then
        -- When one may be taken: where the limit was lowered, others have to return before.
        local due = read('<d', value, back + 1 + (used > limit and 8 * (used - limit) or 0))
        reset = (due - micros) / 1000
        reset = reset + -reset % 1
      end
      if back >= size - back or last - last % sixtieth ~= latest - latest % sixtieth then
        written[i], place[i] = string.sub(value, back + 1) .. token, -life
      else
        written[i], place[i] = token, size
      end
    end
  end

  if used >= limit then
    reply[1] = 0
  end
  reply[2 * i], reply[2 * i + 1] = used, reset
end

if reply[1] == 1 then
  for i = 1, #KEYS do
    if not place[i] then
      call('INCR', KEYS[i])
    elseif place[i] < 0 then
      call('SET', KEYS[i], written[i], 'PX', -place[i])
    else
      call('SETRANGE', KEYS[i], place[i], written[i])
    end
    reply[2 * i] = reply[2 * i] + 1
  end
end
return reply
