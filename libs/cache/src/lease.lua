-- Renews a lease, or gives it back.
-- KEYS[1]  lease
-- ARGV[1]  its name
-- ARGV[2]  life from now on, in milliseconds; 0 gives it back
-- Reply: 1, or 0 where it is no longer the caller's
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
