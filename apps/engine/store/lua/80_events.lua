-- A bucket with more pauses is read in pages, so that one event does not stop the server for long.

do
  local LARGE_BUCKET = 1000

  local function before(a, b)
    local ams, aseq = string.match(a, '^(%d+)-(%d+)$')
    local bms, bseq = string.match(b, '^(%d+)-(%d+)$')
    if not ams or not bms then return true end
    if tonumber(ams) ~= tonumber(bms) then return tonumber(ams) < tonumber(bms) end
    return tonumber(aseq) < tonumber(bseq)
  end

  local function add_found(P, ids, entry, now, found)
    for _, id in ipairs(ids) do
      local k, r, x, cov, af, ex = unpack(call('HMGET', P .. ':p:' .. id, 'k', 'r', 'x', 'cov', 'af', 'ex'))
      if k and num(ex) > now and (not af or before(af, entry)) then
        local events = (x ~= '' and cov ~= '1') and call('HGET', P .. ':run:' .. r, 'ev') or ''
        found[#found + 1] = { id, k, r, x, cov, events or '' }
      end
    end
  end

  -- pause_find(env, event, stream id, now, bucket keys...) -> the pauses that this event may concern:
  -- {{pause, kind, run, expression, covered, events of the run or ""}, ...}
  -- Kind "large" with a bucket key in the place of the run: pause_scan tells what is in that bucket.
  local function pause_find(keys, args)
    local P, found = keys[1], {}
    for i = 5, #args do
      local key = pause_bucket(P, args[1], args[2], args[i])
      if call('SCARD', key) > LARGE_BUCKET then
        found[#found + 1] = { '', 'large', args[i], '', '', '' }
      else
        add_found(P, call('SMEMBERS', key), args[3], tonumber(args[4]), found)
      end
    end
    return found
  end

  -- pause_scan(env, event, stream id, now, bucket key, cursor) -> {next cursor, pauses as of pause_find}
  local function pause_scan(keys, args)
    local P, found = keys[1], {}
    local page = call('SSCAN', pause_bucket(P, args[1], args[2], args[5]), args[6], 'COUNT', LARGE_BUCKET)
    add_found(P, page[2], args[3], tonumber(args[4]), found)
    return { page[1], found }
  end

  -- resume_pause(now, pause, memo, history, entry or "") -> run id or nil
  -- The entry of an event remembers what it resumed, until the runner has recorded it.
  local function resume_pause(keys, args)
    local P, entry = keys[1], args[5]
    local run = resume(P, args[2], tonumber(args[1]), args[3], args[4])
    if run and entry and entry ~= '' then call('HSET', P .. ':once:' .. entry, 'r:' .. args[2], run) end
    return run
  end

  -- pauses_due(now, limit) -> {{pause, kind, run, step}, ...}; cancellations past their time are dropped here
  local function pauses_due(keys, args)
    local P, due = keys[1], {}
    for _, id in ipairs(call('ZRANGEBYSCORE', P .. ':px', '-inf', args[1], 'LIMIT', 0, tonumber(args[2]))) do
      local pause = hash_of(P .. ':p:' .. id)
      if not pause.r then
        call('ZREM', P .. ':px', id)
      elseif pause.k == 'cancel' then
        remove_pause(P, id, pause)
      else
        due[#due + 1] = { id, pause.k, pause.r, pause.s }
      end
    end
    return due
  end

  -- finish(run, history, entry of the event that cancels it or "", n x (n-fields, fields...))
  -- -> 1 when this call ended the run
  local function finish(keys, args)
    local P, run = keys[1], args[1]
    if not run_exists(P, run) then return 0 end
    if args[3] ~= '' then call('HSET', P .. ':once:' .. args[3], 'c:' .. run, '1') end
    record_history(P, args[2])
    append_events(P, args, 4)
    finalise(P, run, '')
    return 1
  end

  -- run_timeout(member, due or ""): move, or with "" remove, a run timeout
  local function run_timeout(keys, args)
    if args[2] == '' then return call('ZREM', keys[1] .. ':rt', args[1]) end
    local run = string.match(args[1], '^(.+)|')
    if not run_exists(keys[1], run) then return 0 end
    call('ZADD', keys[1] .. ':rt', args[2], args[1])
    nudge(keys[1] .. ':tick')
    return 1
  end

  register('pause_find', pause_find)
  register('pause_scan', pause_scan)
  register('resume_pause', resume_pause)
  register('pauses_due', pauses_due)
  register('finish', finish)
  register('run_timeout', run_timeout)
end
