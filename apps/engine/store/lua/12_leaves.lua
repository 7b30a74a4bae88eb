-- Key queues. Runs of a function that agree in all of its keys share a leaf, with one queue of steps (r)
-- and one of starts (rs) that have not been admitted yet. The leaves of a function are served in turn, by
-- start-time fair queueing as everything above them. What blocks a leaf is a bucket:
--
--   c:<scope>:<id>:<value>  concurrency key: its holders are items, in h:<bucket>
--   r:<function>:<value>    runs in progress: its holders are runs, in h:<bucket>; stops starts only
--   t:<function>:<value>    throttle: free again at a time, in P:gates; stops starts only
--
-- A blocked leaf waits in the list of (bucket, function). Of each function one leaf is woken when the bucket
-- has room, and whenever a leaf has been looked at the next one is, if there is room still. So a release
-- costs O(functions that wait at the bucket), however many leaves do.

local LEAF_MEMORY_SECONDS = 60

local function unpack_gates(packed)
  local gates = {}
  for bucket in string.gmatch(packed or '', '%S+') do gates[#gates + 1] = bucket ~= '-' and bucket end
  return gates
end

local function file_under(P, id, leaf, kv)
  if leaf then call('HSET', P .. ':i:' .. id, 'lf', leaf, 'kv', kv) else call('HDEL', P .. ':i:' .. id, 'lf', 'kv') end
end

-- Makes the leaf's node from what its run knows about its keys. A run that has other keys by now cannot tell
-- of a leaf that has been forgotten since: its item goes where the run belongs. Returns the item's leaf, or nil.
local function ensure_leaf(P, id, fn, leaf, run)
  local node = P .. ':n:' .. leaf
  if call('EXISTS', node) == 1 then
    call('PERSIST', node)
    return leaf
  end
  local packed, kv, shown, own = unpack(call('HMGET', P .. ':run:' .. run, 'gb', 'kv', 'kd', 'lf'))
  if own ~= leaf then
    file_under(P, id, own, kv)
    return own and ensure_leaf(P, id, fn, own, run)
  end
  local gates, fields = unpack_gates(packed), { 'p', 'f:' .. fn, 'kv', kv or '', 'kd', shown or '' }
  for i, name in ipairs({ 'c1', 'c2', 't', 'r1', 'r2' }) do
    if gates[i] then fields[#fields + 1], fields[#fields + 2] = name, gates[i] end
  end
  call('HSET', node, unpack(fields))
  return leaf
end

local function forget_empty_leaf(P, leaf)
  if call('EXISTS', P .. ':r:' .. leaf, P .. ':rs:' .. leaf) == 0 then
    call('EXPIRE', P .. ':n:' .. leaf, LEAF_MEMORY_SECONDS)
  end
end

local function leaf_has_work(P, leaf, starts_wait)
  if call('EXISTS', P .. ':r:' .. leaf) == 1 then return true end
  return not starts_wait and call('EXISTS', P .. ':rs:' .. leaf) == 1
end

-- The start tag of a leaf that becomes ready. Those that nothing else tells apart are served as they came: else
-- keys of one run each, with new ones all the time, would keep an older one waiting for as long as they come.
local function start_tag(P, fn, finish)
  local node = P .. ':n:f:' .. fn
  local turn = call('HINCRBY', node, 'ac', 1) % 100000
  return math.max(num(call('HGET', node, 'v')), num(finish)) + turn / 1000000
end

-- Make a leaf ready; false when it has nothing that may run.
local function activate_leaf(P, fn, leaf)
  local finish, waits, starts_wait = unpack(call('HMGET', P .. ':n:' .. leaf, 'f', 'bs', 'bt'))
  if waits or not leaf_has_work(P, leaf, starts_wait) then return false end
  local queue = P .. ':q:f:' .. fn
  if not call('ZSCORE', queue, leaf) then call('ZADD', queue, start_tag(P, fn, finish), leaf) end
  activate(P, 'f:' .. fn)
  return true
end

-- A bucket may be the first key of one leaf and the second of another, with another limit: what waits there with
-- its second key has a list of its own.
local function waiting_name(bucket, position)
  return bucket and position == 2 and bucket .. '#2' or bucket
end

local function waiting_list(P, bucket, fn) return P .. ':w:' .. bucket .. '|' .. fn end

-- field: bs, the leaf as a whole waits; bt, its starts do.
local function wait_at(P, fn, leaf, bucket, field)
  local node = P .. ':n:' .. leaf
  call('HSET', node, field, bucket)
  call('ZADD', waiting_list(P, bucket, fn), num(call('HGET', node, 'f')), leaf)
  call('SADD', P .. ':w:' .. bucket, fn)
  call('SADD', P .. ':wb:' .. fn, bucket)
end

-- Emptied leaves that one call passes over, at most.
local MOST_EMPTY = 100

-- All leaves of a function that wait look again, by and by (60_lease.lua).
local function wake_all_later(P, fn)
  call('HDEL', P .. ':n:f:' .. fn, 'cs')
  call('SADD', P .. ':changed', fn)
  nudge(P .. ':tick')
end

-- Wake the leaf of a function that has waited at the bucket and was served least; false when there is none.
local function wake_leaf(P, fn, bucket)
  local list = waiting_list(P, bucket, fn)
  for _ = 1, MOST_EMPTY do
    local leaf = call('ZPOPMIN', list)[1]
    if call('EXISTS', list) == 0 then
      call('SREM', P .. ':w:' .. bucket, fn)
      call('SREM', P .. ':wb:' .. fn, bucket)
    end
    if not leaf then return false end
    local node = P .. ':n:' .. leaf
    local waits, starts_wait = unpack(call('HMGET', node, 'bs', 'bt'))
    if waits == bucket then call('HDEL', node, 'bs') end
    if starts_wait == bucket then call('HDEL', node, 'bt') end
    -- What only starts have waited for is of no use to a leaf whose starts are gone.
    local has_use = waits == bucket or call('EXISTS', P .. ':rs:' .. leaf) == 1
    if activate_leaf(P, fn, leaf) and has_use then return true end
    forget_empty_leaf(P, leaf)
  end
  wake_all_later(P, fn)
  return true
end

local function wake_bucket(P, bucket)
  for position = 1, 2 do
    local name = waiting_name(bucket, position)
    for _, fn in ipairs(call('SMEMBERS', P .. ':w:' .. name)) do wake_leaf(P, fn, name) end
  end
end

-- The limits of a function have changed: wake a leaf at each of about `budget` buckets, going on from where the
-- last call has stopped. Those that may still not run wait again. Returns true after the last bucket.
local function wake_function(P, fn, budget)
  local node = P .. ':n:f:' .. fn
  local page = call('SSCAN', P .. ':wb:' .. fn, call('HGET', node, 'cs') or '0', 'COUNT', budget)
  call('HSET', node, 'cs', page[1])
  for _, bucket in ipairs(page[2]) do wake_leaf(P, fn, bucket) end
  return call('HGET', node, 'cs') == '0'
end

-- For leaves of former keys, which wait for nothing.
local NO_LIMITS = { keys = {}, runs = {} }

-- Limits of the function's keys: of the concurrency keys, interval and tolerance of the throttle (ms),
-- of the runs in progress.
local function key_limits(P, fn)
  local kv, k1, k2, interval, tolerance, l1, l2 =
    unpack(call('HMGET', P .. ':n:f:' .. fn, 'kv', 'k1', 'k2', 'tT', 'tD', 'l1', 'l2'))
  return { kv = kv or '', keys = { tonumber(k1), tonumber(k2) }, interval = tonumber(interval),
    tolerance = tonumber(tolerance), runs = { tonumber(l1), tonumber(l2) } }
end

local function leaf_gates(P, leaf)
  local kv, c1, c2, t, r1, r2, starts_wait =
    unpack(call('HMGET', P .. ':n:' .. leaf, 'kv', 'c1', 'c2', 't', 'r1', 'r2', 'bt'))
  return { kv = kv or '', keys = { c1, c2 }, throttle = t, runs = { r1, r2 }, starts_wait = starts_wait }
end

local function is_full(P, bucket, limit)
  return bucket and limit and call('SCARD', P .. ':h:' .. bucket) >= limit
end

-- GCRA (spec 02, 4.1): the arrival time to store if a start is admitted now, and when it may be.
local function throttle_times(P, bucket, limits, now)
  local arrival = math.max(num(call('GET', P .. ':th:' .. bucket)), now) + limits.interval
  return arrival, math.ceil(arrival - limits.tolerance - ROUNDING_MS)
end

local function arm_gate(P, fn, bucket, at)
  local member = fn .. '|' .. bucket
  call('ZADD', P .. ':gates', at, member)
  if call('ZRANGE', P .. ':gates', 0, 0)[1] == member then nudge(P .. ':tick') end
end

-- The bucket that stops a start of this leaf now, or nil.
local function stopping_gate(P, fn, gates, limits, now)
  if gates.throttle and limits.interval then
    local _, free_at = throttle_times(P, gates.throttle, limits, now)
    if free_at > now then
      arm_gate(P, fn, gates.throttle, free_at)
      return gates.throttle
    end
  end
  for i = 1, 2 do
    if is_full(P, gates.runs[i], limits.runs[i]) then return gates.runs[i] end
  end
  return nil
end

-- Take what a start needs beside slots, once for the run, whatever becomes of its leases.
local function admit_start(P, id, run, gates, limits, now)
  if gates.throttle and limits.interval then
    local arrival = throttle_times(P, gates.throttle, limits, now)
    call('SET', P .. ':th:' .. gates.throttle, string.format('%.17g', arrival),
      'PX', math.ceil(arrival - now) + 60000)
  end
  for i = 1, 2 do
    local bucket = gates.runs[i]
    if bucket and limits.runs[i] then
      call('SADD', P .. ':h:' .. bucket, run)
      call('HSET', P .. ':run:' .. run, 'rb' .. i, bucket)
    end
  end
  call('HSET', P .. ':i:' .. id, 'tk', '1')
end

local function pass_on_room(P, fn, bucket, limit, position)
  local name = waiting_name(bucket, position)
  if name and call('EXISTS', waiting_list(P, name, fn)) == 1 and not is_full(P, bucket, limit) then
    wake_leaf(P, fn, name)
  end
end

-- A leaf has been looked at: where there is room (still), the next one that waits there is woken.
local function pass_on(P, fn, gates, limits, now)
  if call('EXISTS', P .. ':wb:' .. fn) == 0 then return end
  for i = 1, 2 do
    pass_on_room(P, fn, gates.keys[i], limits.keys[i], i)
    pass_on_room(P, fn, gates.runs[i], limits.runs[i], 1)
  end
  local throttle = gates.throttle
  if throttle and call('EXISTS', waiting_list(P, throttle, fn)) == 1 then
    local free_at = now
    if limits.interval then free_at = select(2, throttle_times(P, throttle, limits, now)) end
    if free_at > now then arm_gate(P, fn, throttle, free_at) else wake_leaf(P, fn, throttle) end
  end
end

local function head_of(queue)
  local head = call('ZRANGE', queue, 0, 0, 'WITHSCORES')
  return head[1], tonumber(head[2])
end

-- The item of a leaf that is next, not taken yet, and whether it is a start that has to be admitted.
-- Steps of older runs and starts of newer ones are in one order; starts that may not begin step aside.
local function next_of_leaf(P, fn, leaf, gates, limits, now)
  for i = 1, 2 do
    if is_full(P, gates.keys[i], limits.keys[i]) then
      wait_at(P, fn, leaf, waiting_name(gates.keys[i], i), 'bs')
      return nil
    end
  end
  local step, step_score = head_of(P .. ':r:' .. leaf)
  if gates.starts_wait then return step, false end
  local start, start_score = head_of(P .. ':rs:' .. leaf)
  if not start or (step and step_score <= start_score) then return step, false end
  local gate = stopping_gate(P, fn, gates, limits, now)
  if not gate then return start, true end
  wait_at(P, fn, leaf, gate, 'bt')
  gates.starts_wait = gate
  return step, false
end

-- The leaf was served at its start tag, or could not be: keep it ready, or take it out.
local function settle_leaf(P, fn, leaf, start, served, gates, limits, now)
  local queue, node = P .. ':q:f:' .. fn, P .. ':n:' .. leaf
  if served then call('HSET', node, 'f', start + 1) end
  local waits, starts_wait = unpack(call('HMGET', node, 'bs', 'bt'))
  if not waits and leaf_has_work(P, leaf, starts_wait) then
    call('ZADD', queue, served and start + 1 or start, leaf)
  else
    call('ZREM', queue, leaf)
    forget_empty_leaf(P, leaf)
  end
  pass_on(P, fn, gates, limits, now)
end

-- Take one item out of a function: its id, and the gates to admit it through when it is a start that needs to be.
-- nil when nothing of the function may run. Looks at no more leaves than budget.n says, and counts them off.
local function take_item(P, fn, now, budget)
  local own, queue = P .. ':r:f:' .. fn, P .. ':q:f:' .. fn
  if call('EXISTS', queue) == 0 then return call('ZPOPMIN', own)[1] end
  local limits = key_limits(P, fn)
  -- From before the function had keys: these come first, since they have waited longest.
  if limits.kv ~= '' and call('EXISTS', own) == 1 then return call('ZPOPMIN', own)[1] end
  while budget.n > 0 do
    local leaf, start = head_of(queue)
    if not leaf then return call('ZPOPMIN', own)[1] end
    budget.n = budget.n - 1
    call('HSET', P .. ':n:f:' .. fn, 'v', start)
    local gates = leaf_gates(P, leaf)
    if gates.kv ~= limits.kv then
      -- The keys have changed: each of its items is given its new ones (60_lease.lua).
      local id = call('ZPOPMIN', P .. ':r:' .. leaf)[1] or call('ZPOPMIN', P .. ':rs:' .. leaf)[1]
      settle_leaf(P, fn, leaf, start, false, gates, NO_LIMITS, now)
      if id then return id end
    else
      local id, is_start = next_of_leaf(P, fn, leaf, gates, limits, now)
      if id then call('ZREM', P .. (is_start and ':rs:' or ':r:') .. leaf, id) end
      if is_start then admit_start(P, id, call('HGET', P .. ':i:' .. id, 'r'), gates, limits, now) end
      settle_leaf(P, fn, leaf, start, id ~= nil, gates, limits, now)
      if id then return id end
    end
  end
  return nil
end

-- Slots: of the function, of the account, and of the concurrency keys of the item's leaf.

-- former: the item of the same leaf whose units this one takes over, if any; the leaf may be forgotten by now.
local function hold_slot(P, id, item, former)
  call('SADD', P .. ':h:f:' .. item.f, id)
  call('SADD', P .. ':h:a:' .. item.a, id)
  if not item.lf then return end
  local h1, h2 = unpack(call('HMGET', P .. ':n:' .. item.lf, 'c1', 'c2'))
  if former then h1, h2 = former.h1, former.h2 end
  for name, bucket in pairs({ h1 = h1, h2 = h2 }) do
    if bucket then
      call('SADD', P .. ':h:' .. bucket, id)
      call('HSET', P .. ':i:' .. id, name, bucket)
    end
  end
end

-- Give the slots back without telling anybody yet.
local function leave_slot(P, id, item)
  call('SREM', P .. ':h:f:' .. item.f, id)
  call('SREM', P .. ':h:a:' .. item.a, id)
  for _, name in ipairs({ 'h1', 'h2' }) do
    if item[name] then
      call('SREM', P .. ':h:' .. item[name], id)
      call('HDEL', P .. ':i:' .. id, name)
    end
  end
end

-- The account is told by itself: its functions may be in their ready sets while it is not.
local function slot_is_free(P, item)
  if item.h1 then wake_bucket(P, item.h1) end
  if item.h2 then wake_bucket(P, item.h2) end
  activate(P, 'f:' .. item.f)
  activate(P, 'a:' .. item.a)
end

local function release_slot(P, id, item)
  leave_slot(P, id, item)
  slot_is_free(P, item)
end
