-- One process tells what it holds of a tenant's slots and what it needs, and is told what it holds from now on.
-- KEYS[1]  hash of the tenant: process → "leased demand expires since spare_since" (numbers; times in milliseconds)
-- ARGV[1]  process
-- ARGV[2]  held: slots that it does not give back; never fewer than it is using
-- ARGV[3]  demand: slots in use and requests waiting for one
-- ARGV[4]  wanted: slots that it would like to hold, idle ones included, as long as nobody needs them
-- ARGV[5]  limit of the tenant
-- ARGV[6]  life of the lease in milliseconds
-- ARGV[7]  turn in milliseconds: how long a process may hold a slot that does not go into the shares evenly
-- ARGV[8]  channel of hints to a process, without its name
-- ARGV[9]  tenant
-- Reply: {leased, allowance, pressed, known}
--   allowance  slots it may use; less than the limit when all together demand more than that
--   pressed    1 when others lack slots that they are allowed
--   known      0 when this process held no lease
--
-- Leases sum to at most the limit, except for what is held already (a limit that was lowered, a lease that expired under
-- running work): then nothing is granted until the sum is below. Allowances are max-min fair shares of the limit by
-- progressive filling (Bertsekas and Gallager, Data Networks, 2nd edition, 6.5.2). What does not divide evenly goes round:
-- to those who joined or had it longest ago. A hint is published as "tenant allowance" to whoever holds a slot while the
-- caller lacks one, and to whoever lacks one while one is free.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local held, demand, wanted = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local limit, lease, turn = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])

local me = { id = ARGV[1], leased = 0, since = now, spare_since = 0 }
local members, others, known, total = { me }, 0, 0, demand
local fields = redis.call('HGETALL', KEYS[1])
for f = 1, #fields, 2 do
  local leased, wants, expires, since, spare = string.match(fields[f + 1], '^(%d+) (%d+) (%d+) (%d+) (%d+)$')
  if tonumber(expires) <= now then
    redis.call('HDEL', KEYS[1], fields[f])
  elseif fields[f] == me.id then
    known = 1
    me.leased, me.since, me.spare_since = tonumber(leased), tonumber(since), tonumber(spare)
  else
    local member = { id = fields[f], leased = tonumber(leased), demand = tonumber(wants), expires = tonumber(expires) }
    member.since, member.spare_since = tonumber(since), tonumber(spare)
    members[#members + 1] = member
    others = others + member.leased
    total = total + member.demand
  end
end
me.demand = demand

local function store(member)
  -- %.0f, as a number turned into text otherwise keeps 14 digits only
  local form = '%.0f %.0f %.0f %.0f %.0f'
  local text = string.format(form, member.leased, member.demand, member.expires, member.since, member.spare_since)
  redis.call('HSET', KEYS[1], member.id, text)
end

-- Allowances. Without contention everybody may use the whole limit.
for _, member in ipairs(members) do
  member.allowance = limit
end
if total > limit then
  table.sort(members, function(a, b)
    return a.demand < b.demand or (a.demand == b.demand and a.id < b.id)
  end)
  local left, level, unfilled = limit, 0, {}
  for i, member in ipairs(members) do
    if #unfilled == 0 then
      level = math.floor(left / (#members - i + 1))
    end
    if member.demand <= level then
      member.allowance = member.demand
      left = left - member.demand
    else
      unfilled[#unfilled + 1] = member
    end
  end
  local spare = left - level * #unfilled
  for _, member in ipairs(unfilled) do
    local before = member.spare_since
    if member.leased <= level then
      member.spare_since = 0
    elseif before == 0 then
      member.spare_since = now
    elseif now - before >= turn and spare < #unfilled then
      member.since, member.spare_since = now, 0
    end
    if member.spare_since ~= before and member ~= me then
      store(member)
    end
  end
  table.sort(unfilled, function(a, b)
    return a.since < b.since or (a.since == b.since and a.id < b.id)
  end)
  for i, member in ipairs(unfilled) do
    member.allowance = i <= spare and level + 1 or level
  end
end

local function lack(member)
  return math.max(0, math.min(member.demand, member.allowance) - member.leased)
end

local lacking = 0
for _, member in ipairs(members) do
  if member ~= me then
    lacking = lacking + lack(member)
  end
end

me.leased = math.max(held, math.min(demand, me.allowance, limit - others))
local idle = limit - others - me.leased - lacking
if wanted > me.leased and idle > 0 then
  me.leased = me.leased + math.min(wanted - me.leased, idle)
end

if me.leased == 0 and demand == 0 then
  redis.call('HDEL', KEYS[1], me.id)
else
  me.expires = now + lease
  store(me)
  redis.call('PEXPIRE', KEYS[1], lease)
end

local free, short = limit - others - me.leased, lack(me) > 0
for _, member in ipairs(members) do
  if member ~= me then
    local served = free > 0 and lack(member) > 0
    if served then
      free = free - lack(member)
    end
    if served or (short and member.leased > 0) then
      redis.call('PUBLISH', ARGV[8] .. member.id, ARGV[9] .. ' ' .. member.allowance)
    end
  end
end
return { me.leased, me.allowance, lacking > 0 and 1 or 0, known }
