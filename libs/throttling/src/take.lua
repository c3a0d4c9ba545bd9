-- Takes for several requests, one after another. Each checks several limits and, when none is reached, takes one unit of each: all
-- or nothing. A request sees what those before it have taken.
-- KEYS     counters of all checks, request by request; those of one call live in one slot
-- ARGV[1]  a character for each request, which says its shape: `A` for the first, and so on
-- ARGV[2…] shapes: number of checks, then for each check 'sliding', 'bucket', 'fixed' or 'aligned'; limit; window; how long a counter
--          lives from its last whole write, which is a window, and with 'sliding' and 'bucket' a sixtieth of it more. In milliseconds
-- Reply: for each request admitted (1 or 0), used 1, milliseconds until quota returns 1, used 2, …; `used` includes what was taken
--
-- One MGET reads all counters, and one write each takes; what a request before has written is read again. They are packed doubles,
-- exact up to 2^53, but for `fixed`. Redis is given texts rather than numbers, which it formats with 17 digits; and all is one chunk, as
-- functions would be made anew for each call.
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
local call, pack, read = redis.call, struct.pack, struct.unpack
local several = #ARGV[1] > 1

-- Where the checks of each shape begin, and whether all of them are fixed. Limits and windows are made numbers where they stand.
local begins, fixed, only_fixed, argument = {}, {}, true, 2
while ARGV[argument] do
  local first, last = argument + 1, argument + 4 * ARGV[argument]
  local shape = #begins + 1
  begins[shape], fixed[shape] = first, true
  for at = first, last, 4 do
    ARGV[at + 1], ARGV[at + 2] = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    if ARGV[at] ~= 'fixed' then
      fixed[shape], only_fixed = false, false
    end
  end
  argument = last + 1
end

local micros, now, values
if not only_fixed then
  local time = call('TIME')
  micros = time[1] * 1000000 + time[2]
  now = (micros - micros % 1000) / 1000
  values = call('MGET', unpack(KEYS))
end
-- Keys of which the values do not hold any more, as they were written since. Nobody asks where there is one request.
local again = {}
-- What taking from check i writes, and where in the value; `all` is all of it, nowhere adds one.
local written, place = { 0, 0, 0 }, { 0, 0, 0 }
-- Keys of the requests before this one, and where its part of the reply begins.
local before, said = 0, 1
local reply = { 1, 0, 0 }

for request = 1, #ARGV[1] do
  local shape = string.byte(ARGV[1], request) - 64
  local first = begins[shape]
  local count, at = tonumber(ARGV[first - 1]), first
  reply[said] = 1

  if fixed[shape] then
    -- Such as attempts to log in: taken, and given back when one of them was one too many.
    for i = 1, count do
      local key, limit, window, life = KEYS[before + i], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
      local units, reset = call('INCR', key), window
      if units > 1 then
        reset = call('PTTL', key)
      end
      if units == 1 or reset < 0 or reset > window then
        reset = window
        call('PEXPIRE', key, life)
      end
      if units > limit then
        reply[said] = 0
      end
      if several then
        again[key] = true
      end
      reply[said + 2 * i - 1], reply[said + 2 * i] = units, reset
      at = at + 4
    end
    if reply[said] == 0 then
      for i = 1, count do
        reply[said + 2 * i - 1] = call('DECR', KEYS[before + i])
      end
    end
  else
    for i = 1, count do
      local key, kind, limit, window, life = KEYS[before + i], ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
      local value = values[before + i]
      if again[key] then
        value = call('GET', key)
      end
      local used, reset = 0, window

      if kind == 'fixed' then
        written[i], place[i] = '1', 'all'
        if value and value ~= '0' then
          used, reset, place[i] = tonumber(value), call('PTTL', key), false
          if reset < 0 or reset > window then
            reset = window
            call('PEXPIRE', key, life)
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
          call('SET', key, pack('<dd', units, newest), 'PX', life)
          again[key] = several
        end
        if newest == number then
          used = units
          written[i], place[i] = pack('<d', units + 1), '0'
        else
          written[i], place[i] = pack('<dd', 1, number), 'all'
        end
      elseif kind == 'sliding' then
        local width = life - window
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
          call('SET', key, value, 'PX', life)
          again[key] = several
        end
        used, reset = units + past, (oldest + 1) * width + window - now
        if newest == number then
          written[i], place[i] = pack('<d', units + 1), '8'
        else
          local others = value and string.sub(value, begin) or ''
          if newest then
            others = others .. pack('<dd', newest, units)
          end
          written[i], place[i] = pack('<dddd', number, 1, used, oldest) .. others, 'all'
        end
      else
        local latest = micros + window * 1000
        local sixtieth, token = (life - window) * 1000, pack('<d', latest)
        if not value then
          written[i], place[i] = token, 'all'
        else
          local size = #value
          local earliest, last = read('<d', value), read('<d', value, size - 7)
          if last > latest then
            local tokens = {}
            for byte = 1, size, 8 do
              tokens[#tokens + 1] = pack('<d', math.min(read('<d', value, byte), latest))
            end
            value, last = table.concat(tokens), latest
            call('SET', key, value, 'PX', life)
            again[key] = several
          end
          -- Bytes of those that are back: by halves, between `back` and `out` from which on none is.
          local back, out = 0, size
          if earliest <= micros then
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
            written[i], place[i] = string.sub(value, back + 1) .. token, 'all'
          else
            written[i], place[i] = token, size
          end
        end
      end

      if used >= limit then
        reply[said] = 0
      end
      reply[said + 2 * i - 1], reply[said + 2 * i] = used, reset
      at = at + 4
    end

    if reply[said] == 1 then
      for i = 1, count do
        local key = KEYS[before + i]
        if not place[i] then
          call('INCR', key)
        elseif place[i] == 'all' then
          call('SET', key, written[i], 'PX', ARGV[first + 4 * i - 1])
        else
          call('SETRANGE', key, place[i], written[i])
        end
        if several then
          again[key] = true
        end
        reply[said + 2 * i - 1] = reply[said + 2 * i - 1] + 1
      end
    end
  end
  before, said = before + count, said + 1 + 2 * count
end
return reply
