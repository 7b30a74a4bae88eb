-- is_new: nothing can have been saved of the run yet.
local function run_state(P, run, is_new)
  local key = P .. ':run:' .. run
  local fields = call('HMGET', key, 'ev', 'm', 'ver', 'die', 'q', 'st', 'app', 'sz', 'is', 'iv', 'em', 'fe')
  if is_new then return { fields, {}, {}, {} } end
  return { fields, call('LRANGE', P .. ':stack:' .. run, 0, -1), call('HGETALL', P .. ':memo:' .. run),
    call('HGETALL', P .. ':defer:' .. run) }
end

-- A throttle lets one more start: wake the leaf of its function that has waited longest.
local function open_gates(P, now, limit)
  for _, member in ipairs(call('ZRANGEBYSCORE', P .. ':gates', '-inf', now, 'LIMIT', 0, limit)) do
    call('ZREM', P .. ':gates', member)
    local fn, bucket = string.match(member, '^([^|]*)|(.*)$')
    wake_leaf(P, fn, bucket)
  end
end

-- Functions whose limits have changed: what waited at the old ones looks again.
local function wake_changed(P, budget)
  for _, fn in ipairs(call('SRANDMEMBER', P .. ':changed', 5)) do
    if wake_function(P, fn, budget) then call('SREM', P .. ':changed', fn) end
  end
end

-- Wake sleeping steps and move due items to their functions. Bounded by limit.
local function promote(P, now, limit)
  open_gates(P, now, limit)
  for _, id in ipairs(call('ZRANGEBYSCORE', P .. ':timers', '-inf', now, 'LIMIT', 0, limit)) do
    call('ZREM', P .. ':timers', id)
    local item = hash_of(P .. ':i:' .. id)
    if item.k == 'sleep' then
      delete_item(P, id, item)
      if run_exists(P, item.r) then
        record_history(P, item.hb)
        finish_step(P, item.r, now, item.s, 'null', item.rc == '1')
      end
    elseif item.f then
      push_ready(P, place_of(id, item))
    end
  end
end

-- What a worker needs of a leased item; the state follows where it must be read afresh.
local function leased_view(P, id, item, token, now)
  if item.k == 'edge' then
    local key = P .. ':run:' .. item.r
    if call('HGET', key, 'dq') == id then call('HDEL', key, 'dq') end
    call('HSET', key, 'dl', id)
  end
  if num(item.g) == 1 and item.k == 'start' then
    -- The worker's clock read when it asked, which may have been before the item was there.
    call('HSETNX', P .. ':run:' .. item.r, 'st', string.format('%.0f', math.max(now, num(item.q))))
    call('ZREM', P .. ':rt', item.r .. '|s')
  end
  return { id, token, item.k, item.r, item.f, item.e, item.s or '', item.n, item.g, item.c or '0', item.q,
    item.at, item.b or '', item.j or '' }
end

-- The keys of the item's function have changed since it was queued. Move it to the leaf that its run has been
-- given by now, or to the function itself when there are no keys any more; nil when its keys must be evaluated.
local function find_new_leaf(P, id, item, kv)
  local run, key = P .. ':run:' .. item.r, P .. ':i:' .. id
  if kv == '' then call('HDEL', run, 'lf', 'kv', 'gb', 'kd') end
  local leaf, run_kv = unpack(call('HMGET', run, 'lf', 'kv'))
  if (run_kv or '') ~= kv then return nil end
  call('HDEL', key, 'lf', 'kv')
  item.lf, item.kv = leaf or nil, run_kv or nil
  if leaf then call('HSET', key, 'lf', leaf, 'kv', kv) end
  push_ready(P, place_of(id, item))
  return true
end

-- What was taken out of a function: lease it, or find out that it has other keys now.
local function lease_taken(P, id, l)
  local item = hash_of(P .. ':i:' .. id)
  if not item.f then return end
  if not run_exists(P, item.r) then
    delete_item(P, id, item)
    return
  end
  local kv = call('HGET', P .. ':n:f:' .. item.f, 'kv') or ''
  if (item.kv or '') == kv then
    take_lease(P, id, item, l.token, l.ends)
    local is_new = item.k == 'start' and item.g == '1' and item.c == '0'
    l.leased[#l.leased + 1] = { leased_view(P, id, item, l.token, l.now), run_state(P, item.r, is_new) }
  elseif not find_new_leaf(P, id, item, kv) then
    call('HSET', P .. ':i:' .. id, 'lt', l.token, 'uk', '1')
    call('ZADD', P .. ':leases', l.ends, id)
    l.unkeyed[#l.unkeyed + 1] = { id, l.token, item.r, item.f, call('HGET', P .. ':run:' .. item.r, 'ev') }
  end
end

-- Take up to `slice` items of a function; how many there were.
local function lease_slice(P, fn, slice, budget, l)
  local served = 0
  while served < slice do
    local id = take_item(P, fn, l.now, budget)
    if not id then break end
    lease_taken(P, id, l)
    served = served + 1
  end
  return served
end

local function earliest(P, names)
  local first = -1
  for _, name in ipairs(names) do
    local due = tonumber(call('ZRANGE', P .. name, 0, 0, 'WITHSCORES')[2])
    if due and (first < 0 or due < first) then first = due end
  end
  return string.format('%.0f', first)
end

-- Leaves and items without a lease in return that one call looks at, at most, so that it stays short.
local MOST_FRUITLESS = 200

-- lease(now, count, lease end, token)
-- -> {next due ms or -1, {{item view, run state}, ...}, version of the functions,
--     {{item, token, run, function, events}, ...}: leased only to be given new keys (see rekey)}
local function lease(keys, args)
  local P, count = keys[1], tonumber(args[2])
  local l = { now = tonumber(args[1]), ends = args[3], token = args[4], leased = {}, unkeyed = {} }
  promote(P, l.now, 100)
  local budget = { n = MOST_FRUITLESS }
  while #l.leased + #l.unkeyed < count and budget.n > 0 do
    local node, path = descend(P)
    if not node then break end
    local before = #l.leased
    local slice = math.min(slice_of(P, path), count - #l.leased - #l.unkeyed)
    local served = lease_slice(P, string.sub(node, 3), slice, budget, l)
    if served > 0 then charge_path(P, path, served) end
    if #l.leased == before then budget.n = budget.n - 1 end
  end
  if (#l.leased + #l.unkeyed == count or budget.n <= 0) and call('EXISTS', P .. ':r:root') == 1 then
    nudge(P .. ':wake')
  end
  return { earliest(P, { ':timers', ':gates' }), l.leased, call('GET', P .. ':functions:version') or '0', l.unkeyed }
end

-- Back into its queue goes an item that was leased only to be given new keys: it has not been dispatched.
local function put_back(P, id, item)
  call('HSET', P .. ':i:' .. id, 'lt', '')
  call('HDEL', P .. ':i:' .. id, 'uk')
  call('ZREM', P .. ':leases', id)
  push_ready(P, place_of(id, item))
end

-- rekey(now, item, token, key version, leaf, gates, shown keys): what `lease` gave out to be keyed goes into the
-- queue of its new leaf. -> 1, or 0 when the lease is lost
local function rekey(keys, args)
  local P, id = keys[1], args[2]
  local key = P .. ':i:' .. id
  local item = hash_of(key)
  if not item.f or item.lt ~= args[3] then return 0 end
  call('ZREM', P .. ':leases', id)
  if not run_exists(P, item.r) then
    delete_item(P, id, item)
    return 1
  end
  if args[5] == '' then
    call('HDEL', P .. ':run:' .. item.r, 'lf', 'kv', 'gb', 'kd')
    call('HDEL', key, 'lf', 'kv')
    item.lf = nil
  else
    call('HSET', P .. ':run:' .. item.r, 'kv', args[4], 'lf', args[5], 'gb', args[6], 'kd', args[7])
    call('HSET', key, 'kv', args[4], 'lf', args[5])
    item.lf = args[5]
  end
  put_back(P, id, item)
  return 1
end

-- extend(lease end, item, token, ...) -> the items whose lease is lost
local function extend(keys, args)
  local P, lost = keys[1], {}
  for i = 2, #args, 2 do
    if call('HGET', P .. ':i:' .. args[i], 'lt') == args[i + 1] then
      call('ZADD', P .. ':leases', args[1], args[i])
    else
      lost[#lost + 1] = args[i]
    end
  end
  return lost
end

-- sweep(now, limit): return leases past their end to the queue. After 10 in a row each costs an attempt.
local function sweep(keys, args)
  local P, now = keys[1], tonumber(args[1])
  local ids = call('ZRANGEBYSCORE', P .. ':leases', '-inf', now, 'LIMIT', 0, tonumber(args[2]))
  for _, id in ipairs(ids) do
    local item = hash_of(P .. ':i:' .. id)
    if not item.f then
      call('ZREM', P .. ':leases', id)
    elseif not run_exists(P, item.r) then
      drop_lease(P, id, item)
      delete_item(P, id, item)
    elseif item.uk then
      put_back(P, id, item)
    else
      local ended = call('HINCRBY', P .. ':i:' .. id, 'x', 1)
      discovery_answered(P, item.r, id)
      requeue_item(P, id, item, now, now, ended > 10 and 1 or 0)
    end
  end
  return #ids
end

-- state(run) -> run state, or nil when the run has ended
local function state(keys, args)
  if not run_exists(keys[1], args[1]) then return nil end
  return run_state(keys[1], args[1])
end

-- tick(now, limit) -> {next timer or gate or group, next pause expiry, next run timeout, next cron}, -1 where there is none
local function tick(keys, args)
  local P = keys[1]
  local now, limit = tonumber(args[1]), tonumber(args[2])
  promote(P, now, limit)
  fire_groups(P, now, limit)
  wake_changed(P, limit)
  local next_due = earliest(P, { ':timers', ':gates', ':dbq', ':btq' })
  if call('EXISTS', P .. ':changed') == 1 then next_due = string.format('%.0f', now) end
  return { next_due, earliest(P, { ':px' }), earliest(P, { ':rt' }), earliest(P, { ':cron' }) }
end
