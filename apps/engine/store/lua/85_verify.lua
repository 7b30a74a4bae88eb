-- Invariants (design 7): what holds between any two calls of this library, checked subject by subject. What
-- does not hold is counted by its kind and, when asked, repaired. Each subject is read again here, so that
-- what the caller has seen of it before may be old.
--
-- c: {P, now, repair, scope, found: kind -> count}

do
  -- A lease past its end is the sweep's to return, each second; what it leaves for longer is a violation.
  local OVERDUE_MS = 10000
  -- The end of a lease that is not in the list of leases; a worker that still holds it puts that right.
  local UNLISTED_LEASE_MS = 20000
  -- One call holds the server no longer than this.
  local VERIFY_MICROSECONDS = 5000

  local function violation(c, kind, repair)
    c.found[kind] = (c.found[kind] or 0) + 1
    if c.repair and repair then repair() end
  end

  local function ready_set_of(P, id, item)
    if not item.lf then return P .. ':r:f:' .. item.f end
    return P .. (place_of(id, item)[6] and ':rs:' or ':r:') .. item.lf
  end

  -- An item that was leased only to be given new keys (60_lease.lua) holds no slot.
  local function check_slots(c, id, item)
    if item.uk then return end
    local in_function = call('SISMEMBER', c.P .. ':h:f:' .. item.f, id)
    if in_function == 0 or call('SISMEMBER', c.P .. ':h:a:' .. item.a, id) == 0 then
      violation(c, 'slot_missing', function() hold_slot(c.P, id, item) end)
    end
  end

  local function check_leased_item(c, id, item, ready)
    local is_ready, is_timed = call('ZSCORE', ready, id), call('ZSCORE', c.P .. ':timers', id)
    if is_ready or is_timed then
      violation(c, 'item_misplaced', function()
        call('ZREM', ready, id)
        call('ZREM', c.P .. ':timers', id)
      end)
    end
    if not call('ZSCORE', c.P .. ':leases', id) then
      violation(c, 'lease_unlisted', function() call('ZADD', c.P .. ':leases', c.now + UNLISTED_LEASE_MS, id) end)
    end
    check_slots(c, id, item)
  end

  local function check_queued_item(c, id, item, ready)
    local is_ready, is_timed = call('ZSCORE', ready, id), call('ZSCORE', c.P .. ':timers', id)
    if call('ZSCORE', c.P .. ':leases', id) then
      violation(c, 'lease_stale', function() call('ZREM', c.P .. ':leases', id) end)
    end
    if is_ready and is_timed then
      violation(c, 'item_misplaced', function() call('ZREM', c.P .. ':timers', id) end)
    elseif not is_ready and not is_timed then
      violation(c, 'item_unplaced', function() place_item(c.P, c.now, num(item.at), place_of(id, item)) end)
    end
  end

  -- Whether the run's item exists; it is then placed exactly where its state says.
  local function check_item(c, run, id)
    local item = hash_of(c.P .. ':i:' .. id)
    if not item.f then
      violation(c, 'item_missing', function() call('SREM', c.P .. ':jobs:' .. run, id) end)
      return false
    end
    local check = (item.lt or '') ~= '' and check_leased_item or check_queued_item
    check(c, id, item, ready_set_of(c.P, id, item))
    return true
  end

  -- Whether the run's pause exists and is one that the run waits at.
  local function check_pause(c, run, id)
    local P, pause = c.P, hash_of(c.P .. ':p:' .. id)
    if not pause.r then
      violation(c, 'pause_missing', function() call('SREM', P .. ':rp:' .. run, id) end)
      return false
    end
    if not call('ZSCORE', P .. ':px', id) then
      violation(c, 'pause_unlisted', function()
        call('ZADD', P .. ':px', pause.ex, id)
        nudge(P .. ':tick')
      end)
    end
    if pause.ev and call('SISMEMBER', pause_bucket(P, pause.e, pause.ev, pause.key), id) == 0 then
      violation(c, 'pause_unindexed', function() index_pause(P, id, pause.e, pause.ev, pause.key, pause.path) end)
    end
    local holder = pause.sg and P .. ':sig:' .. pause.e .. ':' .. pause.sg
    if holder and call('EXISTS', holder) == 0 then
      violation(c, 'signal_unheld', function() call('SET', holder, id) end)
    end
    return pause.k ~= 'cancel'
  end

  -- Whether a discovery that the run counts on is there. dq may be leased for a moment, to be given new keys.
  local function check_discovery(c, run)
    local P, key = c.P, c.P .. ':run:' .. run
    local queued, leased = unpack(call('HMGET', key, 'dq', 'dl'))
    if leased and (call('HGET', P .. ':i:' .. leased, 'lt') or '') == '' then
      violation(c, 'discovery_stale', function() discovery_answered(P, run, leased) end)
    end
    if queued and call('EXISTS', P .. ':i:' .. queued) == 0 then
      violation(c, 'discovery_lost', function()
        call('HDEL', key, 'dq')
        schedule_discovery(P, run, c.now, call('LLEN', P .. ':stack:' .. run))
      end)
      return true
    end
    return queued
  end

  -- Let a run that nothing drives any more go on from its memos: steps that it had planned are planned again.
  local function revive(P, run, now)
    local key, position = P .. ':run:' .. run, call('LLEN', P .. ':stack:' .. run)
    call('DEL', P .. ':seen:' .. run, P .. ':pending:' .. run, P .. ':racing:' .. run)
    call('HDEL', key, 'dq', 'dl')
    local began, target = unpack(call('HMGET', key, 'st', 'is'))
    if began then
      schedule_discovery(P, run, now, position)
    else
      place_item(P, now, now, new_run_item(P, run, now, now, 'start', { 'c', position, 's', target or '' }))
    end
  end

  local function is_live(P, run, fn) return call('ZSCORE', P .. ':live:' .. fn, run) end

  local function check_live_index(c, run)
    local fn, queued = unpack(call('HMGET', c.P .. ':run:' .. run, 'f', 'q'))
    if fn and not is_live(c.P, run, fn) then
      violation(c, 'live_missing', function() call('ZADD', c.P .. ':live:' .. fn, queued or c.now, run) end)
    end
  end

  local checks = {}

  -- A live run of the function `scope`: it has an item or waits at a pause.
  function checks.run(c, run)
    local P = c.P
    if not run_exists(P, run) then
      if is_live(P, run, c.scope) then
        violation(c, 'live_dangling', function() call('ZREM', P .. ':live:' .. c.scope, run) end)
      end
      return
    end
    local is_driven = false
    for _, id in ipairs(call('SMEMBERS', P .. ':jobs:' .. run)) do is_driven = check_item(c, run, id) or is_driven end
    for _, id in ipairs(call('SMEMBERS', P .. ':rp:' .. run)) do is_driven = check_pause(c, run, id) or is_driven end
    is_driven = check_discovery(c, run) or is_driven
    if not is_driven then violation(c, 'run_stuck', function() revive(P, run, c.now) end) end
  end

  -- An item is known to its run, and its run is live.
  local function check_owner(c, id, item)
    if not run_exists(c.P, item.r) then
      violation(c, 'item_orphaned', function()
        leave_slot(c.P, id, item)
        delete_item(c.P, id, item)
        slot_is_free(c.P, item)
      end)
    elseif call('SISMEMBER', c.P .. ':jobs:' .. item.r, id) == 0 then
      violation(c, 'item_unlisted', function() call('SADD', c.P .. ':jobs:' .. item.r, id) end)
    end
  end

  local function check_member(c, key, id, kind)
    if not call('ZSCORE', key, id) then return end
    local item = hash_of(c.P .. ':i:' .. id)
    if item.f then
      check_owner(c, id, item)
    else
      violation(c, kind, function() call('ZREM', key, id) end)
    end
  end

  function checks.timer(c, id) check_member(c, c.P .. ':timers', id, 'timer_dangling') end

  -- A member of the ready set `scope`.
  function checks.ready(c, id) check_member(c, c.P .. ':' .. c.scope, id, 'ready_dangling') end

  -- An item of a run that has ended is leased until its worker answers or the lease ends.
  function checks.lease(c, id)
    local leases = c.P .. ':leases'
    local ends = tonumber(call('ZSCORE', leases, id))
    if not ends then return end
    if call('EXISTS', c.P .. ':i:' .. id) == 0 then
      violation(c, 'lease_dangling', function() call('ZREM', leases, id) end)
    elseif ends < c.now - OVERDUE_MS then
      violation(c, 'lease_overdue')
    end
  end

  function checks.pause(c, id)
    if not call('ZSCORE', c.P .. ':px', id) then return end
    if call('EXISTS', c.P .. ':p:' .. id) == 0 then
      violation(c, 'pause_dangling', function() call('ZREM', c.P .. ':px', id) end)
    end
  end

  function checks.timeout(c, member)
    if not call('ZSCORE', c.P .. ':rt', member) then return end
    if not run_exists(c.P, string.match(member, '^(.+)|')) then
      violation(c, 'timeout_dangling', function() call('ZREM', c.P .. ':rt', member) end)
    end
  end

  -- scope: a node, or a bucket of keys (12_leaves.lua): of runs in progress its holders are runs.
  local function holds(c, id)
    local bucket = string.match(c.scope, '^[cr]:') and c.scope
    if bucket and string.sub(bucket, 1, 2) == 'r:' then
      local rb1, rb2 = unpack(call('HMGET', c.P .. ':run:' .. id, 'rb1', 'rb2'))
      return rb1 == bucket or rb2 == bucket
    end
    local lease, h1, h2 = unpack(call('HMGET', c.P .. ':i:' .. id, 'lt', 'h1', 'h2'))
    return (lease or '') ~= '' and (not bucket or h1 == bucket or h2 == bucket)
  end

  -- A holder of a slot is a leased item, or a run in progress.
  function checks.slot(c, id)
    local key = c.P .. ':h:' .. c.scope
    if call('SISMEMBER', key, id) == 0 or holds(c, id) then return end
    violation(c, 'slot_stale', function()
      call('SREM', key, id)
      if string.match(c.scope, '^[cr]:') then wake_bucket(c.P, c.scope) else activate(c.P, c.scope) end
    end)
  end

  -- A node with work is in the ready set of its parent, and so on up to the root, unless one on the way is closed.
  function checks.route(c, node)
    while node ~= 'root' and has_work(c.P, node) and node_is_open(c.P, node) do
      local parent = call('HGET', c.P .. ':n:' .. node, 'p')
      if not parent then return end
      if not call('ZSCORE', c.P .. ':r:' .. parent, node) then
        local lost = node
        violation(c, 'activation_lost', function() activate(c.P, lost) end)
      end
      node = parent
    end
  end

  -- Whether what a leaf waits at has room, while no leaf of the function is ready that could have been woken for it.
  local function has_room(P, fn, bucket, limits, gates)
    if call('EXISTS', P .. ':q:f:' .. fn) == 1 then return false end
    if bucket == gates.throttle then return not call('ZSCORE', P .. ':gates', fn .. '|' .. bucket) end
    for i = 1, 2 do
      if bucket == waiting_name(gates.keys[i], i) then return not is_full(P, gates.keys[i], limits.keys[i]) end
      if bucket == gates.runs[i] then return not is_full(P, bucket, limits.runs[i]) end
    end
    return false
  end

  local function check_waiting(c, fn, leaf, field, limits, gates)
    local bucket = call('HGET', c.P .. ':n:' .. leaf, field)
    if not bucket then return end
    if not call('ZSCORE', waiting_list(c.P, bucket, fn), leaf) then
      violation(c, 'wait_lost', function() wait_at(c.P, fn, leaf, bucket, field) end)
    end
    if has_room(c.P, fn, bucket, limits, gates) then
      violation(c, 'wake_lost', function() wake_leaf(c.P, fn, bucket) end)
    end
  end

  -- A key queue with work is ready, or waits at a bucket that has no room. A function whose limits have just
  -- changed wakes its leaves by and by.
  function checks.leaf(c, leaf)
    local fn = string.match(leaf, '^k:([^:]+):')
    if not fn or call('SISMEMBER', c.P .. ':changed', fn) == 1 then return end
    local waits, starts_wait = unpack(call('HMGET', c.P .. ':n:' .. leaf, 'bs', 'bt'))
    local limits, gates = key_limits(c.P, fn), leaf_gates(c.P, leaf)
    check_waiting(c, fn, leaf, 'bs', limits, gates)
    check_waiting(c, fn, leaf, 'bt', limits, gates)
    if waits or not leaf_has_work(c.P, leaf, starts_wait) then return end
    if not call('ZSCORE', c.P .. ':q:f:' .. fn, leaf) then
      violation(c, 'activation_lost', function() activate_leaf(c.P, fn, leaf) end)
    end
  end

  -- Keys that nothing else leads to, by the first part of their names. Each is given the rest of the name.
  local key_checks = { run = check_live_index }

  local function check_remains(kind)
    return function(c, run)
      if run_exists(c.P, run) then return end
      local key = c.P .. ':' .. kind .. ':' .. run
      violation(c, 'run_remains', function() call('DEL', key) end)
    end
  end

  key_checks.memo, key_checks.stack = check_remains('memo'), check_remains('stack')
  key_checks.pending, key_checks.racing = check_remains('pending'), check_remains('racing')
  key_checks.seen, key_checks.jobs = check_remains('seen'), check_remains('jobs')
  key_checks.rp, key_checks.defer = check_remains('rp'), check_remains('defer')

  function key_checks.i(c, id)
    local item = hash_of(c.P .. ':i:' .. id)
    local is_held = (item.lt or '') ~= '' and call('ZSCORE', c.P .. ':leases', id)
    if item.f and not is_held then check_owner(c, id, item) end
  end

  function key_checks.p(c, id)
    local pause = hash_of(c.P .. ':p:' .. id)
    if not pause.r then return end
    if not run_exists(c.P, pause.r) then
      violation(c, 'pause_orphaned', function() remove_pause(c.P, id, pause) end)
    elseif call('SISMEMBER', c.P .. ':rp:' .. pause.r, id) == 0 then
      violation(c, 'pause_unlisted', function() call('SADD', c.P .. ':rp:' .. pause.r, id) end)
    end
  end

  function key_checks.sig(c, name)
    local key = c.P .. ':sig:' .. name
    local pause = call('GET', key)
    if pause and call('EXISTS', c.P .. ':p:' .. pause) == 0 then
      violation(c, 'signal_stale', function() call('DEL', key) end)
    end
  end

  -- The lock of a singleton is held by a live run that knows of it.
  function key_checks.sg(c, lock)
    local key = c.P .. ':sg:' .. lock
    local run = call('GET', key)
    if run and call('HGET', c.P .. ':run:' .. run, 'sl') ~= lock then
      violation(c, 'lock_stale', function() call('DEL', key) end)
    end
  end

  -- The name of a key without P.
  function checks.key(c, name)
    local kind, rest = string.match(name, '^(%a+):(.+)$')
    local check = kind and key_checks[kind]
    if check and call('EXISTS', c.P .. ':' .. name) == 1 then check(c, rest) end
  end

  local function is_past(began)
    local at = call('TIME')
    return (at[1] - began[1]) * 1000000 + at[2] - began[2] > VERIFY_MICROSECONDS
  end

  -- verify(now, repair "1", subject, scope, members...) -> {how many members were checked, kind, count, ...}
  -- Stops after 5 ms. What is repaired is also counted in P:violations.
  local function verify(keys, args)
    local c = { P = keys[1], now = tonumber(args[1]), repair = args[2] == '1', scope = args[4], found = {} }
    local began, checked = call('TIME'), 0
    for i = 5, #args do
      checks[args[3]](c, args[i])
      checked = checked + 1
      if checked % 16 == 0 and is_past(began) then break end
    end
    local answer = { checked }
    for kind, count in pairs(c.found) do
      if c.repair then call('HINCRBY', c.P .. ':violations', kind, count) end
      answer[#answer + 1], answer[#answer + 2] = kind, count
    end
    return answer
  end

  register('verify', verify)
end
