-- schedule(now, run, fn, env, account, app, once entry, idempotency key, events, due, score, meta,
--          start timeout ms due or 0, history, target step, target input, flow,
--          n cancel rules x (id, event, expression, bucket, path, covered, expires, after),
--          n memos x (step, memo))
-- flow: "", or msgpack of the flow control that this run meets, each part absent where there is none:
--   leaf, kv, gates, shown   its key queue (12_leaves.lua)
--   rate {bucket, limit, period ms, burst or absent: sliding window}
--   batch, debounce          see 45_groups.lua
--   lock, lock_mode          singleton: skip or cancel
--   collected                the run of a batch
-- -> {outcome, run id or "", detail}. Outcomes: created (detail: items in its queue); known (by this very entry); duplicate (of an earlier
-- event); limited; batched (detail: batch id); debounced (detail: correlation id of the event that it replaced);
-- outdated (an event that occurred later is debounced already); singleton, paused, drained, archived (the
-- environment is): to be recorded as a skipped run (detail: the run that holds the lock); holder (detail: a run
-- to be cancelled before this is tried again).
-- What was decided about an event is remembered by its entry, so that a repetition gets the same verdict.

-- Whether one more fits into the window of a bucket; takes the place if so.
local function admitted(P, rate, now, run)
  local key = P .. ':rl:' .. rate.bucket
  if rate.burst then
    local interval = rate.period / rate.limit
    local arrival = math.max(num(call('GET', key .. ':at')), now) + interval
    if now < arrival - interval * (rate.burst + 1) - ROUNDING_MS then return false end
    call('SET', key .. ':at', string.format('%.17g', arrival), 'PX', math.ceil(arrival - now) + 60000)
    return true
  end
  call('ZREMRANGEBYSCORE', key, '-inf', now - rate.period)
  if call('ZCARD', key) >= rate.limit then return false end
  call('ZADD', key, now, run)
  call('PEXPIRE', key, rate.period)
  return true
end

local function verdict_of(known)
  local outcome, detail = string.match(known, '^!(%S+) ?(.*)$')
  if outcome then return { outcome, '', detail } end
  return { 'known', known, '' }
end

-- What flow control says before there is a run: an outcome and its detail, or nil when the run may be made.
-- once: where the entry remembers; fn its field.
local function flow_verdict(P, flow, now, run, fn, env, account, once, events)
  local body = string.sub(events, 2, -2)
  if flow.batch then return add_to_batch(P, flow.batch, now, fn, env, account, body) end
  if flow.rate and not (once and call('HEXISTS', once, fn .. ':ok') == 1) then
    if not admitted(P, flow.rate, now, run) then return 'limited', '' end
    -- The singleton may ask for another try.
    if once and flow.lock then call('HSET', once, fn .. ':ok', '1') end
  end
  if flow.debounce then return debounce(P, flow.debounce, now, fn, env, account, body) end
  local holder = flow.lock and call('GET', P .. ':sg:' .. flow.lock)
  if not holder then return nil end
  if flow.lock_mode == 'cancel' then return 'holder', holder end
  return 'singleton', holder
end

local function is_archived(P, env) return call('HGET', P .. ':n:e:' .. env, 'ar') == '1' end

-- What was collected before its function was drained still runs (spec 02, 4.4).
local function switch_verdict(P, fn, was_collected)
  local paused, drained = unpack(call('HMGET', P .. ':n:f:' .. fn, 'pz', 'dr'))
  return paused == '1' and 'paused' or drained == '1' and not was_collected and 'drained' or nil
end

-- The run's key queue and its lock.
local function set_flow(P, run, flow)
  local key = P .. ':run:' .. run
  if flow.leaf then
    call('HSET', key, 'lf', flow.leaf, 'kv', flow.kv, 'gb', flow.gates, 'kd', flow.shown or '')
  end
  if flow.lock then
    call('SET', P .. ':sg:' .. flow.lock, run)
    call('HSET', key, 'sl', flow.lock)
  end
end

local function schedule(keys, args)
  local P = keys[1]
  local now, run, fn, env, account = tonumber(args[1]), args[2], args[3], args[4], args[5]
  local once, idem = args[7] ~= '' and P .. ':once:' .. args[7], P .. ':idem:' .. args[8]
  local known = once and call('HGET', once, fn)
  if known then return verdict_of(known) end
  known = args[8] ~= '' and call('GET', idem)
  if known then return { 'duplicate', known, '' } end
  local flow = args[17] ~= '' and cmsgpack.unpack(args[17]) or {}
  local outcome, detail = 'archived', nil
  if not is_archived(P, env) then
    outcome, detail = flow_verdict(P, flow, now, run, fn, env, account, once, args[9])
  end
  if outcome == 'holder' then return { outcome, '', detail } end
  outcome = outcome or switch_verdict(P, fn, flow.collected)
  if outcome then
    -- A run that was replaced is told so once; a repetition need not.
    if once then call('HSET', once, fn, '!' .. outcome .. ' ' .. (outcome ~= 'debounced' and detail or '')) end
    return { outcome, '', detail or '' }
  end
  if args[8] ~= '' then call('SET', idem, run, 'EX', 86400) end
  if once then call('HSET', once, fn, run) end

  local due, score = tonumber(args[10]), tonumber(args[11])
  call('HSET', P .. ':run:' .. run, 'f', fn, 'e', env, 'a', account, 'app', args[6], 'ev', args[9],
    'm', args[12], 'ver', '-1', 'die', '0', 'sz', #args[9], 'q', now, 'sc', score)
  call('ZADD', P .. ':live:' .. fn, now, run)
  set_flow(P, run, flow)
  local at = 19
  for _ = 1, tonumber(args[18]) do
    local id, event, bucket, path = args[at], args[at + 1], args[at + 3], args[at + 4]
    add_pause(P, id, 'cancel', run, '', env, tonumber(args[at + 6]), { 'ev', event, 'x', args[at + 2],
      'key', bucket, 'path', path, 'cov', args[at + 5], 'af', args[at + 7] })
    index_pause(P, id, env, event, bucket, path)
    at = at + 8
  end
  local count = tonumber(args[at])
  for i = 1, count do save_memo(P, run, args[at + 2 * i - 1], args[at + 2 * i]) end
  if args[16] ~= '' then call('HSET', P .. ':run:' .. run, 'is', args[15], 'iv', args[16]) end

  record_history(P, args[14])
  if args[13] ~= '0' then
    call('HSET', P .. ':run:' .. run, 'du', due)
    call('ZADD', P .. ':rt', args[13], run .. '|s')
    nudge(P .. ':tick')
  end
  local place = new_run_item(P, run, now, due, 'start', { 'c', count, 's', args[15] })
  place_item(P, now, due, place)
  return { 'created', run, tostring(due > now and 0 or waiting_at(P, place)) }
end

-- acknowledge(group, history, entry ids...): the runner is done with these entries of the event stream.
local function acknowledge(keys, args)
  local P = keys[1]
  record_history(P, args[2])
  for i = 3, #args do
    call('XACK', P .. ':events', args[1], args[i])
    call('DEL', P .. ':once:' .. args[i])
  end
  return #args - 2
end

local function set_or_clear(key, field, value)
  if value == '' then call('HDEL', key, field) else call('HSET', key, field, value) end
end

-- What the function allows, in the order of the arguments of `configure` from 9 on.
local LIMITS = { 'lim', 'pz', 'dr', 'kv', 'k1', 'k2', 'tT', 'tD', 'l1', 'l2' }

-- configure(function, env, account, version, spec, forced "1", account's default limit or "",
--           then each "" where there is none: limit, paused "1", drained "1", key version, limits of its
--           concurrency keys 1 and 2, interval and tolerance of its throttle (ms), limits of its runs 1 and 2):
-- the function, its node and the node's ancestors. An older version than the stored one changes nothing,
-- unless it is forced.
local function configure(keys, args)
  local P = keys[1]
  local fn, env, account = args[1], args[2], args[3]
  local node, account_node = P .. ':n:f:' .. fn, P .. ':n:a:' .. account
  if args[6] ~= '1' and num(call('HGET', node, 'fv')) > tonumber(args[4]) then return 'OLD' end
  call('HSET', node, 'fv', args[4])
  call('HSET', P .. ':functions', fn, args[5])
  call('HSET', node, 'p', 'e:' .. env)
  call('HSET', P .. ':n:e:' .. env, 'p', 'a:' .. account)
  call('HSET', account_node, 'p', 'root')
  if call('HEXISTS', account_node, 'own') == 0 then set_or_clear(account_node, 'lim', args[7]) end
  for i, field in ipairs(LIMITS) do set_or_clear(node, field, args[7 + i]) end
  wake_all_later(P, fn)
  activate(P, 'f:' .. fn)
  activate(P, 'a:' .. account)
  return 'OK'
end

-- configure_account(account, limit, "1": its own, or "": the default, weight)
local function configure_account(keys, args)
  local P, node = keys[1], 'a:' .. args[1]
  call('HSET', P .. ':n:' .. node, 'p', 'root', 'lim', args[2], 'w', args[4])
  set_or_clear(P .. ':n:' .. node, 'own', args[3])
  activate(P, node)
  return 'OK'
end

-- configure_environment(env, account, weight, archived "1"). Of an archived one nothing starts (is_archived).
local function configure_environment(keys, args)
  local P, node = keys[1], 'e:' .. args[1]
  call('HSET', P .. ':n:' .. node, 'p', 'a:' .. args[2], 'w', args[3])
  set_or_clear(P .. ':n:' .. node, 'ar', args[4] == '1' and '1' or '')
  activate(P, node)
  return 'OK'
end

-- cron_fire(member, tick, next tick or "", event fields...): the caller that finds the tick sends it.
local function cron_fire(keys, args)
  local P = keys[1]
  local score = call('ZSCORE', P .. ':cron', args[1])
  if not score or tonumber(score) ~= tonumber(args[2]) then return 0 end
  if args[3] == '' then call('ZREM', P .. ':cron', args[1]) else call('ZADD', P .. ':cron', args[3], args[1]) end
  local env = call('HGET', P .. ':n:f:' .. string.match(args[1], '^[^|]*'), 'p')
  if env and is_archived(P, string.sub(env, 3)) then return 0 end
  if #args > 3 then call('XADD', P .. ':events', '*', unpack(args, 4)) end
  return 1
end

-- drop_lock(lock, run): give a singleton's lock free that a run holds which has ended.
local function drop_lock(keys, args)
  local P = keys[1]
  local key = P .. ':sg:' .. args[1]
  if call('GET', key) == args[2] and not run_exists(P, args[2]) then return call('DEL', key) end
  return 0
end
