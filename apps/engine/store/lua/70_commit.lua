-- Commits of workers, and checkpoints that come before them.

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

-- Whether nothing of the function that is ready comes before an item with this score.
local function is_first_in_line(P, fn, score)
  local head = call('ZRANGE', P .. ':r:f:' .. fn, 0, 0, 'WITHSCORES')
  return not head[2] or tonumber(head[2]) >= score
end

-- Lease the run's next item at once, in the slot that this one gives back, when it is the only one,
-- nothing older of its function is ready, and the slot is still allowed.
local function continue_with(c, entry, token, ends)
  local id, fn, score = entry[1], entry[2], entry[3]
  if not is_first_in_line(c.P, fn, score) then return nil end
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
  if not is_first_in_line(P, item.f, num(item.sc)) then return nil end
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
