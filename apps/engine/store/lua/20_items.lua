-- Items: pieces of work with a due time, and the leases on them.

local function next_item_id(P)
  return string.format('%015d', call('INCR', P .. ':seq'))
end

-- place: {id, function, score, leaf or nil, run, whether it is a start that has not been admitted}
local function push_ready(P, place)
  local id, fn, score = place[1], place[2], place[3]
  local leaf = place[4] and ensure_leaf(P, id, fn, place[4], place[5])
  if not leaf then
    call('ZADD', P .. ':r:f:' .. fn, score, id)
    activate(P, 'f:' .. fn)
    return
  end
  call('ZADD', P .. (place[6] and ':rs:' or ':r:') .. leaf, score, id)
  activate_leaf(P, fn, leaf)
end

-- A start that has been dispatched before, if only without keys, is not admitted again.
local function place_of(id, item)
  local is_new_start = item.k == 'start' and not item.tk and num(item.g) == 1
  return { id, item.f, num(item.sc), item.lf, item.r, is_new_start }
end

-- How many ready items there are where this one is placed.
local function waiting_at(P, place)
  if not place[4] then return call('ZCARD', P .. ':r:f:' .. place[2]) end
  return call('ZCARD', P .. ':r:' .. place[4]) + call('ZCARD', P .. ':rs:' .. place[4])
end

local function push_timer(P, id, due)
  call('ZADD', P .. ':timers', due, id)
  local first = call('ZRANGE', P .. ':timers', 0, 0)[1]
  if first == id then nudge(P .. ':tick') end
end

-- Store an item without making it ready: fields is a flat list.
local function store_item(P, id, run, fn, env, account, now, fields)
  call('HSET', P .. ':i:' .. id, 'r', run, 'f', fn, 'e', env, 'a', account, 'q', now,
    'n', 0, 'g', 1, 'lt', '', unpack(fields))
  call('SADD', P .. ':jobs:' .. run, id)
end

local function place_item(P, now, due, place)
  if due > now then push_timer(P, place[1], due) else push_ready(P, place) end
end

local function delete_item(P, id, item)
  call('ZREM', P .. ':r:f:' .. item.f, id)
  if item.lf then
    call('ZREM', P .. ':r:' .. item.lf, id)
    call('ZREM', P .. ':rs:' .. item.lf, id)
  end
  call('ZREM', P .. ':timers', id)
  call('ZREM', P .. ':leases', id)
  call('SREM', P .. ':jobs:' .. item.r, id)
  call('DEL', P .. ':i:' .. id)
end

local function drop_lease(P, id, item)
  call('ZREM', P .. ':leases', id)
  release_slot(P, id, item)
end

local function take_lease(P, id, item, token, ends, former)
  call('HSET', P .. ':i:' .. id, 'lt', token)
  call('ZADD', P .. ':leases', ends, id)
  hold_slot(P, id, item, former)
end

-- Put a leased item back. delta is what the attempt counter rises by.
local function requeue_item(P, id, item, now, due, delta, payload)
  local key = P .. ':i:' .. id
  call('HSET', key, 'lt', '', 'n', num(item.n) + delta, 'g', num(item.g) + 1, 'at', due)
  if payload then call('HSET', key, 'b', payload) end
  call('ZREM', P .. ':leases', id)
  place_item(P, now, due, place_of(id, item))
  release_slot(P, id, item)
end
