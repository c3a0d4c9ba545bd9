--[[
  The clock of a class's fair order, shared by the scripts of this folder (each is this file and its own behind it).

    KEYS[1] hash: base, now, shift, cursor
    KEYS[2] sorted set: tenant -> finish tag of its newest job
    KEYS[3] BullMQ's `prioritized`: job id -> priority * 2^32 + counter
    KEYS[4] BullMQ's `active`: ids of begun jobs, the newest first
    ARGV[1] what the key of a job's hash begins with

  Tags are absolute and may be fractions of a unit. A tag waits in BullMQ as the priority floor(tag) - base + 2. Priority 1
  is for jobs whose tag is made when a worker picks them up, the last one for jobs that have just been added.
  A job's hash has its tag as `ft`, and as `fp` the pick that it has paid for (again.lua).

  When `now` is far from the base, the base moves by `shift`: waiting jobs follow from the lowest on. Those before
  `cursor` (a score) have moved already and stand shift lower, those behind it not yet; as the former were lower before, the
  order stays. Made with Redis 7's exact integers below 2^53: priorities end at 2^21 - 1.
]]
local SCALE = 4294967296
local UNTAGGED = 2097151
local HIGHEST = UNTAGGED - 1
local HORIZON = 1048576
local MOVE_AT = 524288
local MOVES = 250

local state = redis.call('HMGET', KEYS[1], 'base', 'now', 'shift', 'cursor')
local base = tonumber(state[1] or '0')
local now = tonumber(state[2] or '0')
local shift = tonumber(state[3] or '0')
local cursor = tonumber(state[4] or '0')

local function priority_of(tag)
  local priority = math.floor(tag) - base + 2
  if shift > 0 and priority < math.floor(cursor / SCALE) then priority = priority - shift end
  return math.max(2, math.min(priority, HIGHEST))
end

local function tag_of(priority)
  local tag = priority - 2 + base
  if shift > 0 and priority < math.floor(cursor / SCALE) then tag = tag + shift end
  return tag
end

-- Lowest tag that waits, or nil.
local function head()
  local first = redis.call('ZRANGEBYSCORE', KEYS[3], 2 * SCALE, string.format('(%.0f', UNTAGGED * SCALE), 'WITHSCORES', 'LIMIT', 0, 1)
  return first[2] and tag_of(math.floor(tonumber(first[2]) / SCALE))
end

-- Virtual time: the start tag of the newest job that has begun. `begun` is what a worker says of one that may be done and
-- gone already; it is not believed beyond what was given out.
local function advance(begun)
  local newest = redis.call('LINDEX', KEYS[4], 0)
  local start = newest and redis.call('HGET', ARGV[1] .. newest, 'ft')
  if start then now = math.max(now, tonumber(start)) end
  local top = begun and redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  if top and top[2] then now = math.max(now, math.min(begun, tonumber(top[2]))) end
end

-- Tags a job of a tenant: its start tag.
local function tag(tenant, length)
  local start = math.max(now, tonumber(redis.call('ZSCORE', KEYS[2], tenant) or '0'))
  start = math.min(start, now + HORIZON)
  redis.call('ZADD', KEYS[2], string.format('%.17g', math.min(start + length, now + HORIZON)), tenant)
  return start
end

-- Puts a job that waits where its tag belongs, behind those of the same priority that came before it.
local function place(id, start)
  local score = redis.call('ZSCORE', KEYS[3], id)
  local priority = priority_of(start)
  redis.call('HSET', ARGV[1] .. id, 'priority', priority, 'ft', string.format('%.17g', start))
  if score then
    redis.call('ZADD', KEYS[3], string.format('%.0f', priority * SCALE + tonumber(score) % SCALE), id)
  end
end

local function move()
  if shift == 0 then
    if now - base < MOVE_AT then return end
    shift = math.floor(now - base)
    cursor = 2 * SCALE
  end
  local moving = redis.call('ZRANGEBYSCORE', KEYS[3], string.format('%.0f', cursor), string.format('(%.0f', UNTAGGED * SCALE),
    'WITHSCORES', 'LIMIT', 0, MOVES)
  for i = 1, #moving, 2 do
    local score = tonumber(moving[i + 1])
    local priority = math.max(2, math.floor(score / SCALE) - shift)
    redis.call('ZADD', KEYS[3], string.format('%.0f', priority * SCALE + score % SCALE), moving[i])
    redis.call('HSET', ARGV[1] .. moving[i], 'priority', priority)
    cursor = score + 1
  end
  if #moving < 2 * MOVES then
    base, shift, cursor = base + shift, 0, 0
  end
end

-- Ends every script: forgets tenants that owe nothing, and writes the clock down.
local function keep()
  move()
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.17g', now))
  redis.call('HSET', KEYS[1], 'base', string.format('%.0f', base), 'now', string.format('%.17g', now),
    'shift', string.format('%.0f', shift), 'cursor', string.format('%.0f', cursor))
end
