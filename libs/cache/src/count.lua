-- Adds to figures, all at once.
-- KEYS[1]  hash: name of a figure → its sum
-- ARGV[1]  life in milliseconds
-- ARGV[2i], ARGV[2i+1]  name, amount
for i = 2, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
