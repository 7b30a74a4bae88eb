-- Commits of workers, and checkpoints that come before them.

local function place_all(c, ready)
  for _, place in ipairs(ready) do push_ready(c.P, place) end
end

-- A service outside of the router's turn costs its function a share, while others wait.
local function charge_node(P, node, parent)
  local v = num(call('HGET', P .. ':n:' .. parent, 'v'))
  call('HSET', P .. ':n:' .. node, 'f', math.max(num(call('HGET', P .. ':n:' .. node, 'f')), v) + 1)
end

local function charge_continuation(P, item)
  if item.lf and call('EXISTS', P .. ':n:' .. item.lf) == 1 then charge_node(P, item.lf, 'f:' .. item.f) end
  if call('EXISTS', P .. ':r:root') == 1 then charge_node(P, 'f:' .. item.f, 'e:' .. item.e) end
end

-- Whether nothing that is ready in the item's queue comes before it.
local function is_first_in_line(P, item)
  local _, first = head_of(P .. ':r:' .. (item.lf or 'f:' .. item.f))
  if first and first < num(item.sc) then return false end
  if not item.lf then return true end
  local _, first_start = head_of(P .. ':rs:' .. item.lf)
  return not first_start or first_start >= num(item.sc) or call('HEXISTS', P .. ':n:' .. item.lf, 'bt') == 1
end

-- Whether the slots that an item holds, or held until now, may serve the run's next job: its function may have
-- been paused, its limits lowered, or its keys changed. spare: how many of them are free in each bucket.
local function slots_may_serve(P, item, spare)
  local lim, pz, kv, k1, k2 = unpack(call('HMGET', P .. ':n:f:' .. item.f, 'lim', 'pz', 'kv', 'k1', 'k2'))
  if pz == '1' or (kv or '') ~= (item.kv or '') then return false end
  local account = P .. ':h:a:' .. item.a
  local of_account = call('HGET', P .. ':n:a:' .. item.a, 'lim')
  if lim and call('SCARD', P .. ':h:f:' .. item.f) > tonumber(lim) - spare then return false end
  if of_account and call('SCARD', account) > tonumber(of_account) - spare then return false end
  if item.h1 and k1 and call('SCARD', P .. ':h:' .. item.h1) > tonumber(k1) - spare then return false end
  if item.h2 and k2 and call('SCARD', P .. ':h:' .. item.h2) > tonumber(k2) - spare then return false end
  return true
end

-- Lease the run's next item at once, in the slot that this one has given back, when it belongs to the same
-- queue, nothing older is ready there, and the slot is still allowed.
local function continue_with(c, id, token, ends)
  local item = hash_of(c.P .. ':i:' .. id)
  if item.lf ~= c.item.lf or not is_first_in_line(c.P, item) then return nil end
  if not slots_may_serve(c.P, c.item, 1) then return nil end
  take_lease(c.P, id, item, token, ends, c.item)
  charge_continuation(c.P, c.item)
  return leased_view(c.P, id, item, token, c.now)
end

-- Give the item's slot back, take the run's next item into it if asked, make the rest ready.
local function hand_over(c, token, ends)
  call('ZREM', c.P .. ':leases', c.id)
  leave_slot(c.P, c.id, c.item)
  local next_item = nil
  if token ~= '' and #c.ready == 1 then next_item = continue_with(c, c.ready[1][1], token, ends) end
  if not next_item then
    place_all(c, c.ready)
    slot_is_free(c.P, c.item)
  end
  return next_item
end

-- The commonest commit by far: one step of a run without parallel work has finished, and nothing older
-- of its function waits. The item itself becomes the run's next discovery, in its slot, under a new job
-- number and lease token. Returns nil, having done nothing, where the commit is any other.
local function continue_in_place(P, now, id, item, args)
  if #args ~= 11 or args[8] ~= 'S' or args[6] == '' or item.s ~= '' or item.k == 'gateway' then return nil end
  local run, run_key = item.r, P .. ':run:' .. item.r
  local ver, die, queued, leased = unpack(call('HMGET', run_key, 'ver', 'die', 'dq', 'dl'))
  if die == '1' or queued or (leased and leased ~= id) then return nil end
  if not is_first_in_line(P, item) or not slots_may_serve(P, item, 0) then return nil end

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
    c.ready[#c.ready + 1] = want_discovery(P, item.r, now, position)
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
