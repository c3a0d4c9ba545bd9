-- Keeps a caller's token unless one of a greater or equal rank is kept.
-- KEYS[1]  hash of the organization: caller → rank, a space, sealed token
-- ARGV[1]  caller
-- ARGV[2]  rank: 32 upper-case hex digits, which compare as text in every locale
-- ARGV[3]  sealed token
-- Reply: the rank that is kept afterwards
local RANK_LENGTH = 32
local kept = redis.call('HGET', KEYS[1], ARGV[1])
if kept then
  local rank = string.sub(kept, 1, RANK_LENGTH)
  if rank >= ARGV[2] then
    return rank
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
return ARGV[2]
