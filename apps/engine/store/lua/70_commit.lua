-- Operations of a commit. Each reads its arguments from args at `at` and returns the next position.
-- c: {P, now, run, item id, item, position, follow, due items}

local function plan_item(c, step, kind, due, extra)
  local fields = { 's', step, 'c', c.item.c or '0' }
  for i = 1, #extra do fields[#fields + 1] = extra[i] end
  local id, fn, score = new_run_item(c.P, c.run, c.now, due, kind, fields)
  return id, fn, score
end

local ops = {}

-- S step memo race: the step finished
function ops.S(c, args, at)
  local position = save_memo(c.P, c.run, args[at], args[at + 1])
  if leave_group(c.P, c.run, args[at], args[at + 2] == '1') then c.follow, c.position = true, position end
  return at + 3
end

-- P step race: run exactly this step
function ops.P(c, args, at)
  if mark_seen(c.P, c.run, args[at]) then
    local id, fn, score = plan_item(c, args[at], 'step', c.now, { 'rc', args[at + 1] })
    c.ready[#c.ready + 1] = { id, fn, score }
  end
  return at + 2
end

-- O step payload race: the server performs this request itself
function ops.O(c, args, at)
  if mark_seen(c.P, c.run, args[at]) then
    local id, fn, score = plan_item(c, args[at], 'gateway', c.now, { 'b', args[at + 1], 'rc', args[at + 2] })
    c.ready[#c.ready + 1] = { id, fn, score }
  end
  return at + 3
end

-- Z step due race history: sleep until due
function ops.Z(c, args, at)
  local due = tonumber(args[at + 1])
  if mark_seen(c.P, c.run, args[at]) then
    if due <= c.now then
      record_history(c.P, args[at + 3])
      return ops.S(c, { args[at], 'null', args[at + 2] }, 1) and at + 4
    end
    local id = plan_item(c, args[at], 'sleep', due, { 'rc', args[at + 2], 'hb', args[at + 3] })
    push_timer(c.P, id, due)
  end
  return at + 4
end

-- W step pause event expression bucket path covered expires race: wait for an event
function ops.W(c, args, at)
  if mark_seen(c.P, c.run, args[at]) then
    local env, event, bucket, path = c.item.e, args[at + 2], args[at + 4], args[at + 5]
    add_pause(c.P, args[at + 1], 'wait', c.run, args[at], env, tonumber(args[at + 7]), { 'ev', event,
      'x', args[at + 3], 'key', bucket, 'path', path, 'cov', args[at + 6], 'rc', args[at + 8] })
    index_pause(c.P, args[at + 1], env, event, bucket, path)
  end
  return at + 9
end

-- I step pause expires race n-fields fields...: invoke a function, by an event
function ops.I(c, args, at)
  local fields = tonumber(args[at + 4])
  if mark_seen(c.P, c.run, args[at]) then
    add_pause(c.P, args[at + 1], 'invoke', c.run, args[at], c.item.e, tonumber(args[at + 2]),
      { 'rc', args[at + 3] })
    call('XADD', c.P .. ':events', '*', unpack(args, at + 5, at + 4 + fields))
  end
  return at + 5 + fields
end

-- The former waiter of a signal goes on as if its time had run out.
local function replace_waiter(c, holder, pause_id)
  call('DEL', holder)
  local pause = hash_of(c.P .. ':p:' .. pause_id)
  if not pause.r then return end
  remove_pause(c.P, pause_id, pause)
  if run_exists(c.P, pause.r) then
    record_history(c.P, pause.hb)
    finish_step(c.P, pause.r, c.now, pause.s, 'null', pause.rc == '1')
  end
end

-- G step pause signal replace expires race null-history failure-history n x (n-fields, fields...):
-- wait for a signal. Another waiter is replaced, or else this run fails with the history and events given.
function ops.G(c, args, at)
  local after = skip_events(args, at + 8)
  if not mark_seen(c.P, c.run, args[at]) then return after end
  local holder = c.P .. ':sig:' .. c.item.e .. ':' .. args[at + 2]
  local other = call('GET', holder)
  if other and other ~= args[at + 1] then
    if args[at + 3] ~= '1' then
      record_history(c.P, args[at + 7])
      append_events(c.P, args, at + 8)
      c.finished = true
      return after
    end
    replace_waiter(c, holder, other)
  end
  add_pause(c.P, args[at + 1], 'signal', c.run, args[at], c.item.e, tonumber(args[at + 4]),
    { 'sg', args[at + 2], 'rc', args[at + 5], 'hb', args[at + 6] })
  call('SET', holder, args[at + 1])
  return after
end

-- D: discover
function ops.D(c, _, at)
  c.follow = true
  return at
end

-- E delay: an empty answer. Other work of the run will go on by itself; else ask again after the delay.
function ops.E(c, args, at)
  local busy = call('SCARD', c.P .. ':jobs:' .. c.run) > 1
  if not busy then
    for _, id in ipairs(call('SMEMBERS', c.P .. ':rp:' .. c.run)) do
      if call('HGET', c.P .. ':p:' .. id, 'k') ~= 'cancel' then busy = true end
    end
  end
  if not busy then
    local count = call('HINCRBY', c.P .. ':run:' .. c.run, 'em', 1)
    local due = c.now + (count > 2 and math.min(tonumber(args[at]) * count, 5000) or 0)
    local position = call('LLEN', c.P .. ':stack:' .. c.run)
    if due <= c.now then
      schedule_discovery(c.P, c.run, c.now, position)
    else
      local id = new_run_item(c.P, c.run, c.now, due, 'edge', { 'c', position })
      push_timer(c.P, id, due)
    end
  end
  return at + 1
end

-- R due delta payload: this item again (an empty payload keeps the item's)
function ops.R(c, args, at)
  c.requeue = { tonumber(args[at]), tonumber(args[at + 1]), args[at + 2] ~= '' and args[at + 2] or nil }
  return at + 3
end

local function add_unfinished(c, set, args, at)
  local count = tonumber(args[at])
  for i = 1, count do
    if call('HEXISTS', c.P .. ':memo:' .. c.run, args[at + i]) == 0 then
      call('SADD', c.P .. set .. c.run, args[at + i])
    end
  end
  return at + 1 + count
end

-- Q n ids...: the ids form a group; the run goes on when the last has finished
function ops.Q(c, args, at) return add_unfinished(c, ':pending:', args, at) end

-- H n ids...: the ids race; the run goes on when any has finished, and later steps do not wait for the others
function ops.H(c, args, at) return add_unfinished(c, ':racing:', args, at) end

-- U: plan only from now on
function ops.U(c, _, at)
  call('HSET', c.P .. ':run:' .. c.run, 'die', '1')
  return at
end

-- K: the code outside of steps failed
function ops.K(c, _, at)
  call('HINCRBY', c.P .. ':run:' .. c.run, 'fe', 1)
  return at
end

-- L id json: remember, or update, a deferral
function ops.L(c, args, at)
  local key = c.P .. ':defer:' .. c.run
  if call('HEXISTS', key, args[at]) == 1 or call('HLEN', key) < 20 then call('HSET', key, args[at], args[at + 1]) end
  return at + 2
end

-- F n x (n-fields, fields...): the run ends, with its events
function ops.F(c, args, at)
  c.finished = true
  return append_events(c.P, args, at)
end

local function place_all(c, ready)
  for _, entry in ipairs(ready) do push_ready(c.P, entry[1], entry[2], entry[3]) end
end

-- A service outside of the router's turn costs its function a share, while others wait.
local function charge_continuation(P, item)
  if call('EXISTS', P .. ':r:root') == 0 then return end
  local node = P .. ':n:f:' .. item.f
  local v = num(call('HGET', P .. ':n:e:' .. item.e, 'v'))
  call('HSET', node, 'f', math.max(num(call('HGET', node, 'f')), v) + 1)
end

-- Lease the run's next item at once, in the slot that this one gives back, when it is the only one,
-- nothing older of its function is ready, and the slot is still allowed.
local function continue_with(c, entry, token, ends)
  local id, fn, score = entry[1], entry[2], entry[3]
  local head = call('ZRANGE', c.P .. ':r:f:' .. fn, 0, 0, 'WITHSCORES')
  if head[2] and tonumber(head[2]) < score then return nil end
  if not node_is_open(c.P, 'f:' .. fn) or not node_is_open(c.P, 'a:' .. c.item.a) then return nil end
  take_lease(c.P, id, fn, c.item.a, token, ends)
  charge_continuation(c.P, c.item)
  return leased_view(c.P, id, hash_of(c.P .. ':i:' .. id), token, c.now)
end

-- Give the item's slot back, take the run's next item into it if asked, make the rest ready.
local function hand_over(c, token, ends)
  local item, id = c.item, c.id
  call('ZREM', c.P .. ':leases', id)
  call('SREM', c.P .. ':h:f:' .. item.f, id)
  call('SREM', c.P .. ':h:a:' .. item.a, id)
  local next_item = nil
  if token ~= '' and #c.ready == 1 then next_item = continue_with(c, c.ready[1], token, ends) end
  if not next_item then
    place_all(c, c.ready)
    slot_is_free(c.P, item.f, item.a)
  end
  return next_item
end

-- Whether a node has room for a holder that it has already.
local function holds_within_limit(P, node)
  local lim, pz = unpack(call('HMGET', P .. ':n:' .. node, 'lim', 'pz'))
  if pz == '1' then return false end
  return not lim or call('SCARD', P .. ':h:' .. node) <= tonumber(lim)
end

-- The commonest commit by far: one step of a run without parallel work has finished, and nothing older
-- of its function waits. The item itself becomes the run's next discovery, in its slot, under a new job
-- number and lease token. Returns nil, having done nothing, where the commit is any other.
local function continue_in_place(P, now, id, item, args)
  if #args ~= 11 or args[8] ~= 'S' or args[6] == '' or item.s ~= '' or item.k == 'gateway' then return nil end
  local run, run_key = item.r, P .. ':run:' .. item.r
  local ver, die, queued, leased = unpack(call('HMGET', run_key, 'ver', 'die', 'dq', 'dl'))
  if die == '1' or queued or (leased and leased ~= id) then return nil end
  local head = call('ZRANGE', P .. ':r:f:' .. item.f, 0, 0, 'WITHSCORES')
  if head[2] and tonumber(head[2]) < num(item.sc) then return nil end
  if not holds_within_limit(P, 'f:' .. item.f) or not holds_within_limit(P, 'a:' .. item.a) then return nil end

  local position, token, job = save_memo(P, run, args[9], args[10]), args[6], num(item.j) + 1
  record_history(P, args[5])
  charge_continuation(P, item)
  call('HSET', P .. ':i:' .. id, 'k', 'edge', 'c', position, 'n', 0, 'g', 1, 'x', 0, 'q', now, 'at', now,
    'lt', token, 'j', job)
  call('ZADD', P .. ':leases', args[7], id)
  if leased ~= id then call('HSET', run_key, 'dl', id) end
  if args[4] ~= '' and ver == '-1' then call('HSET', run_key, 'ver', args[4]) end
  return { 'ok', position, { id, token, 'edge', run, item.f, item.e, '', 0, 1, position, now, now, '', job } }
end

-- commit(now, item, lease token, request version or "", history, next token or "", next lease end,
--        operations...)
-- -> {"gone"}: the lease is lost, nothing was done. {"ended"}: the run has ended, the slot is back.
--    {"ok", state version, next item view or nil}
local function commit(keys, args)
  local P, now, id = keys[1], tonumber(args[1]), args[2]
  local item = hash_of(P .. ':i:' .. id)
  if not item.f or item.lt ~= args[3] then return { 'gone' } end
  if not run_exists(P, item.r) then
    drop_lease(P, id, item)
    delete_item(P, id, item)
    return { 'ended' }
  end
  local continued = continue_in_place(P, now, id, item, args)
  if continued then return continued end
  local run_key = P .. ':run:' .. item.r
  if args[4] ~= '' and call('HGET', run_key, 'ver') == '-1' then call('HSET', run_key, 'ver', args[4]) end
  local c = { P = P, now = now, run = item.r, id = id, item = item, ready = {} }
  if item.k == 'edge' then discovery_answered(P, item.r, id) end
  local at = 8
  while at <= #args and not c.finished do at = ops[args[at]](c, args, at + 1) end
  record_history(P, args[5])
  if c.finished then
    finalise(P, item.r, id)
    drop_lease(P, id, item)
    delete_item(P, id, item)
    return { 'ok', '0' }
  end
  if c.requeue then
    requeue_item(P, id, item, now, c.requeue[1], c.requeue[2], c.requeue[3])
    call('HDEL', P .. ':i:' .. id, 'x')
    place_all(c, c.ready)
    return { 'ok', call('LLEN', P .. ':stack:' .. item.r) }
  end
  if c.follow then
    local position = c.position or call('LLEN', P .. ':stack:' .. item.r)
    local new_id, fn, score = want_discovery(P, item.r, now, position)
    if new_id then c.ready[#c.ready + 1] = { new_id, fn, score } end
  end
  local next_item = hand_over(c, args[6], args[7])
  delete_item(P, id, item)
  return { 'ok', call('LLEN', P .. ':stack:' .. item.r), next_item }
end

-- checkpoint(run, item[.job] or "", generation or "", history, max bytes, n x (step, memo), n x (id, deferral))
-- -> "ended" | "missing" (the item) | "stale" | "overflow" | "ok"
local function checkpoint(keys, args)
  local P, run, id = keys[1], args[1], args[2]
  if not run_exists(P, run) then return 'ended' end
  if id ~= '' then
    local item, job = string.match(id, '^(%d+)%.?(%d*)$')
    local run_of, generation, present = unpack(call('HMGET', P .. ':i:' .. (item or id), 'r', 'g', 'j'))
    if run_of ~= run then return 'missing' end
    if job ~= (present or '') or (args[3] ~= '' and generation ~= args[3]) then return 'stale' end
    id = item
  end
  local size, at = num(call('HGET', P .. ':run:' .. run, 'sz')), 7
  for i = 1, tonumber(args[6]) do
    local step, memo = args[at + 2 * i - 2], args[at + 2 * i - 1]
    if call('HEXISTS', P .. ':memo:' .. run, step) == 0 then size = size + #memo end
  end
  if size > tonumber(args[5]) then return 'overflow' end
  for _ = 1, tonumber(args[6]) do
    save_memo(P, run, args[at], args[at + 1])
    call('SREM', P .. ':pending:' .. run, args[at])
    call('SREM', P .. ':racing:' .. run, args[at])
    at = at + 2
  end
  local c = { P = P, run = run }
  for i = 1, tonumber(args[at]) do ops.L(c, args, at + 2 * i - 1) end
  if id ~= '' and args[6] ~= '0' then call('HSET', P .. ':i:' .. id, 'n', 0) end
  record_history(P, args[4])
  return 'ok'
end
