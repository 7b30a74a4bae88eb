local function run_state(P, run)
  local key = P .. ':run:' .. run
  local fields = call('HMGET', key, 'ev', 'm', 'ver', 'die', 'q', 'st', 'app', 'sz', 'is', 'iv', 'em', 'fe')
  return { fields, call('LRANGE', P .. ':stack:' .. run, 0, -1), call('HGETALL', P .. ':memo:' .. run),
    call('HGETALL', P .. ':defer:' .. run) }
end

-- Wake sleeping steps and move due items to their functions. Bounded by limit.
local function promote(P, now, limit)
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
      push_ready(P, id, item.f, num(item.sc))
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
    call('HSETNX', P .. ':run:' .. item.r, 'st', now)
    call('ZREM', P .. ':rt', item.r .. '|s')
  end
  return { id, token, item.k, item.r, item.f, item.e, item.s or '', item.n, item.g, item.c or '0', item.q,
    item.at, item.b or '', item.j or '' }
end

-- lease(now, count, lease end, token)
-- -> {next due ms or -1, {{item view, run state}, ...}, version of the functions}
local function lease(keys, args)
  local P = keys[1]
  local now, count, ends, token = tonumber(args[1]), tonumber(args[2]), args[3], args[4]
  promote(P, now, 100)
  local leased = {}
  while #leased < count do
    local node, path = descend(P)
    if not node then break end
    local fn = string.sub(node, 3)
    local id = call('ZPOPMIN', P .. ':r:' .. node)[1]
    local item = hash_of(P .. ':i:' .. id)
    if item.f and run_exists(P, item.r) then
      take_lease(P, id, fn, item.a, token, ends)
      leased[#leased + 1] = { leased_view(P, id, item, token, now), run_state(P, item.r) }
    elseif item.f then
      delete_item(P, id, item)
    end
    charge_path(P, path)
  end
  if #leased == count and call('EXISTS', P .. ':r:root') == 1 then nudge(P .. ':wake') end
  local first = call('ZRANGE', P .. ':timers', 0, 0, 'WITHSCORES')
  return { first[2] or '-1', leased, call('GET', P .. ':functions:version') or '0' }
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

-- tick(now, limit) -> {next timer, next pause expiry, next run timeout, next cron}, -1 where there is none
local function tick(keys, args)
  local P = keys[1]
  promote(P, tonumber(args[1]), tonumber(args[2]))
  local out = {}
  for i, name in ipairs({ ':timers', ':px', ':rt', ':cron' }) do
    out[i] = call('ZRANGE', P .. name, 0, 0, 'WITHSCORES')[2] or '-1'
  end
  return out
end
