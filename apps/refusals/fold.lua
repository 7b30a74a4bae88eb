-- Fold tallies of refusals into an environment's list.
--
-- KEYS[1]  zset  refusal (JSON) by the ms of its last occurrence
-- KEYS[2]  hash  refusal (JSON) -> "<count> <ms of the first> <end of the last unknown key>"
-- ARGV     rows to keep, ms to keep them, now ms; then for each refusal: JSON, count, first ms, last ms, end
local recent, details = KEYS[1], KEYS[2]
local max_rows, keep_ms, now_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local function drop(refusals)
  for _, refusal in ipairs(refusals) do
    redis.call('ZREM', recent, refusal)
    redis.call('HDEL', details, refusal)
  end
end

for i = 4, #ARGV, 5 do
  local refusal, count, first, last, key_end = unpack(ARGV, i, i + 4)
  local known = redis.call('HGET', details, refusal)
  if known then
    local known_count, known_first, known_end = string.match(known, '^(%d+) (%d+) (.*)$')
    count, first = count + known_count, known_first
    if key_end == '' then key_end = known_end end
  end
  redis.call('HSET', details, refusal, string.format('%.0f %s %s', count, first, key_end))
  redis.call('ZADD', recent, 'GT', last, refusal)
end

drop(redis.call('ZRANGEBYSCORE', recent, '-inf', now_ms - keep_ms))
local surplus = redis.call('ZCARD', recent) - max_rows
if surplus > 0 then drop(redis.call('ZRANGE', recent, 0, surplus - 1)) end
redis.call('PEXPIRE', recent, keep_ms)
redis.call('PEXPIRE', details, keep_ms)
