-- Events that are held back to start one run together: debounces and batches. What fires goes to the event
-- stream as an entry of its own, aimed at the function, and is scheduled from there like any other.

local MOST_BATCH_BYTES = 10 * 1024 * 1024

local function arm_group(P, queue, bucket, due)
  call('ZADD', P .. queue, due, bucket)
  if call('ZRANGE', P .. queue, 0, 0)[1] == bucket then nudge(P .. ':tick') end
end

-- Hold an event back (spec 02, 4.3). d: bucket, ts, period, timeout, internal id, name, context, correlation id.
-- Returns 'debounced' and the correlation id of an event that this one replaces, or 'outdated' for an event
-- that occurred before the one that is held.
local function debounce(P, d, now, fn, env, account, body)
  local key = P .. ':db:' .. d.bucket
  local held_ts, hard, correlation = unpack(call('HMGET', key, 'ts', 'hard', 'c'))
  if held_ts and tonumber(held_ts) > d.ts then return 'outdated', '' end
  if not held_ts then hard = d.timeout > 0 and now + d.timeout or '' end
  call('HSET', key, 'f', fn, 'e', env, 'a', account, 'ts', d.ts, 'hard', hard, 'i', d.event, 'n', d.name,
    'b', body, 'x', d.context, 'c', d.correlation)
  local due = now + d.period
  if hard ~= '' then due = math.min(due, tonumber(hard)) end
  arm_group(P, ':dbq', d.bucket, due)
  return 'debounced', correlation or ''
end

local function fire_debounce(P, bucket)
  local key = P .. ':db:' .. bucket
  local d = hash_of(key)
  call('ZREM', P .. ':dbq', bucket)
  if not d.f then return end
  call('XADD', P .. ':events', '*', 'i', d.i, 'e', d.e, 'a', d.a, 'n', d.n, 'b', d.b, 'x', d.x)
  call('DEL', key)
end

-- The open batch of a bucket becomes an entry: b is the JSON array of its events, l their internal ids,
-- c the correlation ids ('-' for none), both parted by spaces.
local function fire_batch(P, bucket)
  local key = P .. ':bt:' .. bucket
  local batch = hash_of(key)
  call('ZREM', P .. ':btq', bucket)
  if not batch.f then return end
  local bodies = call('LRANGE', P .. ':bl:' .. bucket, 0, -1)
  call('XADD', P .. ':events', '*', 'i', batch.id, 'e', batch.e, 'a', batch.a, 'n', batch.n,
    'b', '[' .. table.concat(bodies, ',') .. ']', 'x', batch.x, 'l', batch.l, 'c', batch.c)
  call('DEL', key, P .. ':bl:' .. bucket)
end

-- Add an event to the open batch of its bucket (spec 02, 4.4), which starts when it is full. b: bucket, size,
-- timeout, batch id (of a batch that this event opens), internal id, name, context, correlation id, once.
-- Returns 'batched' and the batch's id, or 'duplicate' for an internal id that came before.
local function add_to_batch(P, b, now, fn, env, account, body)
  if b.once and not call('SET', P .. ':bd:' .. b.once, '1', 'NX', 'EX', 1800) then return 'duplicate', '' end
  local key, list = P .. ':bt:' .. b.bucket, P .. ':bl:' .. b.bucket
  local bytes = num(call('HGET', key, 'sz'))
  if bytes > 0 and bytes + #body > MOST_BATCH_BYTES then
    fire_batch(P, b.bucket)
    bytes = 0
  end
  if bytes == 0 then
    call('HSET', key, 'id', b.batch, 'f', fn, 'e', env, 'a', account, 'n', b.name, 'x', b.context,
      'l', b.event, 'c', b.correlation, 'at', now)
    arm_group(P, ':btq', b.bucket, now + b.timeout)
  else
    local ids, correlations = unpack(call('HMGET', key, 'l', 'c'))
    call('HSET', key, 'l', ids .. ' ' .. b.event, 'c', correlations .. ' ' .. b.correlation)
  end
  call('HSET', key, 'sz', bytes + #body)
  local id = call('HGET', key, 'id')
  if call('RPUSH', list, body) >= b.size or bytes + #body >= MOST_BATCH_BYTES then fire_batch(P, b.bucket) end
  return 'batched', id
end

local function fire_groups(P, now, limit)
  for _, bucket in ipairs(call('ZRANGEBYSCORE', P .. ':dbq', '-inf', now, 'LIMIT', 0, limit)) do
    fire_debounce(P, bucket)
  end
  for _, bucket in ipairs(call('ZRANGEBYSCORE', P .. ':btq', '-inf', now, 'LIMIT', 0, limit)) do
    fire_batch(P, bucket)
  end
end
