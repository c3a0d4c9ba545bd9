--[[
  The clock of a class's fair order, shared by the scripts of this folder (each is this file and its own behind it).

    KEYS[1] hash: base, now, shift, cursor, last
    KEYS[2] sorted set: tenant -> finish tag of its newest job
    KEYS[3] BullMQ's `prioritized`: job id -> priority * 2^32 + counter
    KEYS[4] BullMQ's `active`: ids of begun jobs, the newest first
    ARGV[1] what the key of a job's hash begins with

  Tags are absolute and may be fractions of a unit. A tag waits in BullMQ as the priority floor(tag) - base + 2; priority 1
  is for jobs whose tag is made when a worker picks them up. A job has its tag in its data, or as `ft` in its hash when
  it got another one; `fp` is the pick that it has paid for (again.lua).

  When `now` is far from the base, the base moves by `shift`: waiting jobs follow from the lowest on. Those before
  `cursor` (a score) have moved already and stand shift lower, those behind it not yet; as the former were lower before, the
  order stays. A job whose tag was made before the move and which is added after it stands at LATE or behind, where no tag can
  be by then: tags are at most HORIZON ahead of now, and `last` (the shift of the move before) is forgotten long before.
]]
local SCALE = 4294967296
local HIGHEST = 2097151
local HORIZON = 524288
local MOVE_AT = 1310720
local LATE = 1245184
local FORGET_AT = 393216
local MOVES = 250

local state = redis.call('HMGET', KEYS[1], 'base', 'now', 'shift', 'cursor', 'last')
local base = tonumber(state[1] or '0')
local now = tonumber(state[2] or '0')
local shift = tonumber(state[3] or '0')
local cursor = tonumber(state[4] or '0')
local last = tonumber(state[5] or '0')

local function priority_of(tag)
  local priority = math.floor(tag) - base + 2
  if shift > 0 and priority < math.floor(cursor / SCALE) then priority = priority - shift end
  return math.max(2, math.min(priority, HIGHEST))
end

local function tag_of(priority)
  local tag = priority - 2 + base
  if shift > 0 then
    if priority < math.floor(cursor / SCALE) then tag = tag + shift end
  elseif last > 0 and priority >= LATE then
    tag = tag - last
  end
  return tag
end

-- The tag of a job, or nil.
local function own_tag(id)
  local fields = redis.call('HMGET', ARGV[1] .. id, 'ft', 'data')
  if fields[1] then return tonumber(fields[1]) end
  local known, data = pcall(cjson.decode, fields[2] or '')
  return known and type(data) == 'table' and tonumber(data.tag) or nil
end

-- Lowest tag that waits, or nil.
local function head()
  local first = redis.call('ZRANGEBYSCORE', KEYS[3], 2 * SCALE, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return first[2] and tag_of(math.floor(tonumber(first[2]) / SCALE))
end

-- Not believed beyond what was given out.
local function begun(tag)
  local top = tag and tag > now and redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  if top and top[2] then now = math.max(now, math.min(tag, tonumber(top[2]))) end
end

-- Virtual time: the start tag of the newest job that has begun. While none runs, what workers have told may be a moment old:
-- it is not behind the first that waits.
local function advance()
  local newest = redis.call('LINDEX', KEYS[4], 0)
  if newest then begun(own_tag(newest)) else begun(head()) end
end

-- Start tag and next finish of a job of a tenant whose job before it finishes at `finish`.
local function next_tag(finish, length)
  local start = math.min(math.max(now, finish), now + HORIZON)
  return start, math.min(start + length, now + HORIZON)
end

-- Tags one job of a tenant: its start tag.
local function tag_again(tenant, length)
  local start, finish = next_tag(tonumber(redis.call('ZSCORE', KEYS[2], tenant) or '0'), length)
  redis.call('ZADD', KEYS[2], string.format('%.17g', finish), tenant)
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

-- Lowers the waiting jobs from a score on, some of them; whether there may be more, and the score behind the last.
local function lower(from, by)
  local moving = redis.call('ZRANGEBYSCORE', KEYS[3], string.format('%.0f', from), '+inf', 'WITHSCORES', 'LIMIT', 0, MOVES)
  for i = 1, #moving, 2 do
    local score = tonumber(moving[i + 1])
    local priority = math.max(2, math.floor(score / SCALE) - by)
    redis.call('ZADD', KEYS[3], string.format('%.0f', priority * SCALE + score % SCALE), moving[i])
    redis.call('HSET', ARGV[1] .. moving[i], 'priority', priority)
    from = score + 1
  end
  return #moving == 2 * MOVES, from
end

local function move()
  if shift == 0 and now - base >= MOVE_AT then
    shift, cursor, last = math.floor(now - base), 2 * SCALE, 0
  end
  if shift > 0 then
    local more
    more, cursor = lower(cursor, shift)
    if not more then
      base, last, shift, cursor = base + shift, shift, 0, 0
    end
  elseif last > 0 then
    lower(LATE * SCALE, last)
    if now - base >= FORGET_AT then last = 0 end
  end
end

-- Ends every script: forgets tenants that owe nothing, and writes the clock down.
local function keep()
  move()
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.17g', now))
  redis.call('HSET', KEYS[1], 'base', string.format('%.0f', base), 'now', string.format('%.17g', now),
    'shift', string.format('%.0f', shift), 'cursor', string.format('%.0f', cursor), 'last', string.format('%.0f', last))
end
