-- Operations of a commit. Each reads its arguments from args at `at` and returns the next position.
-- c: {P, now, run, item id, item, position, follow, due items}

local function plan_item(c, step, kind, due, extra)
  local fields = { 's', step, 'c', c.item.c or '0' }
  for i = 1, #extra do fields[#fields + 1] = extra[i] end
  return new_run_item(c.P, c.run, c.now, due, kind, fields)
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
    c.ready[#c.ready + 1] = plan_item(c, args[at], 'step', c.now, { 'rc', args[at + 1] })
  end
  return at + 2
end

-- O step payload race: the server performs this request itself
function ops.O(c, args, at)
  if mark_seen(c.P, c.run, args[at]) then
    c.ready[#c.ready + 1] = plan_item(c, args[at], 'gateway', c.now, { 'b', args[at + 1], 'rc', args[at + 2] })
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
    local place = plan_item(c, args[at], 'sleep', due, { 'rc', args[at + 2], 'hb', args[at + 3] })
    push_timer(c.P, place[1], due)
  end
  return at + 4
end

-- The stream's last entry: only events that are accepted after it may resume a wait that is stored now.
local function last_event(P)
  local last = call('XREVRANGE', P .. ':events', '+', '-', 'COUNT', 1)[1]
  return last and last[1] or '0-0'
end

-- W step pause event expression bucket path covered expires race: wait for an event
function ops.W(c, args, at)
  if mark_seen(c.P, c.run, args[at]) then
    local env, event, bucket, path = c.item.e, args[at + 2], args[at + 4], args[at + 5]
    add_pause(c.P, args[at + 1], 'wait', c.run, args[at], env, tonumber(args[at + 7]), { 'ev', event,
      'x', args[at + 3], 'key', bucket, 'path', path, 'cov', args[at + 6], 'rc', args[at + 8],
      'af', last_event(c.P) })
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
      local place = new_run_item(c.P, c.run, c.now, due, 'edge', { 'c', position })
      push_timer(c.P, place[1], due)
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
