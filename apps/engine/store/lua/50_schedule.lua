-- schedule(now, run, fn, env, account, app, once entry, idempotency key, events, due, score, meta,
--          start timeout ms due or 0, history, target step, target input,
--          rate limit bucket or "", its limit, its period ms,
--          n cancel rules x (id, event, expression, bucket, path, covered, expires, after),
--          n memos x (step, memo))
-- -> {"created" | "known" (by this very entry) | "duplicate" (of an earlier event) | "limited", run id}
-- A limited event is remembered by its entry, so that a repetition gets the same verdict.

-- Whether one more fits into the sliding window of a bucket; takes the place if so.
local function admitted(P, bucket, limit, period, now, run)
  local key = P .. ':rl:' .. bucket
  call('ZREMRANGEBYSCORE', key, '-inf', now - period)
  if call('ZCARD', key) >= limit then return false end
  call('ZADD', key, now, run)
  call('PEXPIRE', key, period)
  return true
end

local function schedule(keys, args)
  local P = keys[1]
  local now, run, fn, env, account = tonumber(args[1]), args[2], args[3], args[4], args[5]
  local once, idem = P .. ':once:' .. args[7], P .. ':idem:' .. args[8]
  if args[7] ~= '' then
    local known = call('HGET', once, fn)
    if known == '' then return { 'limited', '' } end
    if known then return { 'known', known } end
  end
  if args[8] ~= '' then
    local known = call('GET', idem)
    if known then return { 'duplicate', known } end
  end
  if args[17] ~= '' and not admitted(P, args[17], tonumber(args[18]), tonumber(args[19]), now, run) then
    if args[7] ~= '' then call('HSET', once, fn, '') end
    return { 'limited', '' }
  end
  if args[8] ~= '' then call('SET', idem, run, 'EX', 86400) end
  if args[7] ~= '' then call('HSET', once, fn, run) end

  local due, score = tonumber(args[10]), tonumber(args[11])
  call('HSET', P .. ':run:' .. run, 'f', fn, 'e', env, 'a', account, 'app', args[6], 'ev', args[9],
    'm', args[12], 'ver', '-1', 'die', '0', 'sz', #args[9], 'q', now, 'sc', score)
  call('ZADD', P .. ':live:' .. fn, now, run)
  local at = 21
  for _ = 1, tonumber(args[20]) do
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
    call('ZADD', P .. ':rt', args[13], run .. '|s')
    nudge(P .. ':tick')
  end
  local id = new_run_item(P, run, now, due, 'start', { 'c', count, 's', args[15] })
  place_item(P, id, fn, now, due, score)
  return { 'created', run }
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

-- configure(function, env, account, limit or "", version, spec, forced "1", paused "1", drained "1"): the function,
-- its node and the node's ancestors. An older version than the stored one changes nothing, unless it is forced.
local function configure(keys, args)
  local P = keys[1]
  local fn, env, account = args[1], args[2], args[3]
  local node = P .. ':n:f:' .. fn
  if args[7] ~= '1' and num(call('HGET', node, 'fv')) > tonumber(args[5]) then return 'OLD' end
  call('HSET', node, 'fv', args[5])
  call('HSET', P .. ':functions', fn, args[6])
  call('HSET', node, 'p', 'e:' .. env)
  call('HSET', P .. ':n:e:' .. env, 'p', 'a:' .. account)
  call('HSET', P .. ':n:a:' .. account, 'p', 'root')
  set_or_clear(node, 'lim', args[4])
  set_or_clear(node, 'pz', args[8])
  set_or_clear(node, 'dr', args[9])
  activate(P, 'f:' .. fn)
  return 'OK'
end

-- cron_fire(member, tick, next tick or "", event fields...): the caller that finds the tick sends it.
local function cron_fire(keys, args)
  local P = keys[1]
  local score = call('ZSCORE', P .. ':cron', args[1])
  if not score or tonumber(score) ~= tonumber(args[2]) then return 0 end
  if args[3] == '' then call('ZREM', P .. ':cron', args[1]) else call('ZADD', P .. ':cron', args[3], args[1]) end
  if #args > 3 then call('XADD', P .. ':events', '*', unpack(args, 4)) end
  return 1
end
