-- Runs put back from history (apps/runs/recovery): a queue that was lost, or that has lost one of them.

do
  -- An item of the run that stands for a step: it is known, so that a discovery does not plan it again.
  local function restore_step(P, r, step, now, due, kind, fields)
    call('SADD', P .. ':seen:' .. r.run, step)
    fields[#fields + 1], fields[#fields + 2] = 's', step
    fields[#fields + 1], fields[#fields + 2] = 'c', #r.memos
    return new_run_item(P, r.run, now, due, kind, fields)
  end

  local function restore_waits(P, r)
    for _, w in ipairs(r.waits) do
      call('SADD', P .. ':seen:' .. r.run, w.step)
      add_pause(P, w.pause, 'wait', r.run, w.step, r.env, w.expires, { 'ev', w.event, 'x', w.expression,
        'key', w.bucket, 'path', w.path, 'cov', w.covered, 'rc', w.race, 'af', w.after })
      index_pause(P, w.pause, r.env, w.event, w.bucket, w.path)
    end
    for _, w in ipairs(r.invokes) do
      call('SADD', P .. ':seen:' .. r.run, w.step)
      add_pause(P, w.pause, 'invoke', r.run, w.step, r.env, w.expires, { 'rc', w.race })
    end
  end

  -- A signal for which another run waits by now stays that run's: the step asks for it again.
  local function restore_signals(P, r, blobs)
    for _, w in ipairs(r.signals) do
      if call('SET', P .. ':sig:' .. r.env .. ':' .. w.signal, w.pause, 'NX') then
        call('SADD', P .. ':seen:' .. r.run, w.step)
        add_pause(P, w.pause, 'signal', r.run, w.step, r.env, w.expires,
          { 'sg', w.signal, 'rc', w.race, 'hb', blobs[w.replaced] })
      end
    end
  end

  -- r.cancels is what `schedule` is given: n x (id, event, expression, bucket, path, covered, expires, after).
  local function restore_cancels(P, r)
    local x = r.cancels
    for at = 2, #x, 8 do
      add_pause(P, x[at], 'cancel', r.run, '', r.env, x[at + 6], { 'ev', x[at + 1], 'x', x[at + 2],
        'key', x[at + 3], 'path', x[at + 4], 'cov', x[at + 5], 'af', x[at + 7] })
      index_pause(P, x[at], r.env, x[at + 1], x[at + 3], x[at + 4])
    end
  end

  local function restore_timeouts(P, r)
    for _, timeout in ipairs({ { r.start_due, '|s' }, { r.finish_due, '|f' } }) do
      if timeout[1] > 0 then
        call('ZADD', P .. ':rt', timeout[1], r.run .. timeout[2])
        nudge(P .. ':tick')
      end
    end
  end

  local function restore_items(P, r, now, blobs)
    for _, s in ipairs(r.sleeps) do
      local place = restore_step(P, r, s.step, now, s.due, 'sleep', { 'rc', s.race, 'hb', blobs[s.awake] })
      push_timer(P, place[1], s.due)
    end
    for _, t in ipairs(r.retries) do
      local place = restore_step(P, r, t.step, now, t.due, 'step', { 'rc', t.race, 'n', t.attempt })
      place_item(P, now, t.due, place)
    end
    local kind = r.started > 0 and 'edge' or 'start'
    local place = new_run_item(P, r.run, now, r.due, kind, { 'c', #r.memos, 's', '', 'n', r.attempt })
    if kind == 'edge' and r.due <= now then call('HSET', P .. ':run:' .. r.run, 'dq', place[1]) end
    place_item(P, now, r.due, place)
  end

  -- The key queue, the units of runs in progress that a run which has begun holds, and the lock of its singleton
  -- unless another run has taken it by now.
  local function restore_flow(P, r)
    local flow = r.flow
    if flow.lock and call('EXISTS', P .. ':sg:' .. flow.lock) == 1 then flow.lock = nil end
    set_flow(P, r.run, flow)
    if not flow.leaf or r.started == 0 then return end
    local gates, limits = unpack_gates(flow.gates), key_limits(P, r.fn)
    for i = 1, 2 do
      local bucket = gates[3 + i]
      if bucket and limits.runs[i] then
        call('SADD', P .. ':h:' .. bucket, r.run)
        call('HSET', P .. ':run:' .. r.run, 'rb' .. i, bucket)
      end
    end
  end

  -- restore(now, msgpack of RestoredRun in recovery/restoring.py, history, blobs...)
  -- -> 1, or 0 where the run is live. What is awake and replaced in it are positions of the arguments.
  local function restore(keys, args)
    local P, now, r = keys[1], tonumber(args[1]), cmsgpack.unpack(args[2])
    if run_exists(P, r.run) then return 0 end
    local key = P .. ':run:' .. r.run
    call('HSET', key, 'f', r.fn, 'e', r.env, 'a', r.account, 'app', r.app, 'ev', r.events, 'm', r.meta,
      'ver', '-1', 'die', r.plan_only, 'sz', #r.events, 'q', r.queued, 'sc', r.score)
    if r.started > 0 then call('HSET', key, 'st', r.started) end
    if r.errors > 0 then call('HSET', key, 'fe', r.errors) end
    call('ZADD', P .. ':live:' .. r.fn, r.queued, r.run)
    for _, memo in ipairs(r.memos) do save_memo(P, r.run, memo[1], memo[2]) end
    restore_flow(P, r)
    restore_cancels(P, r)
    restore_waits(P, r)
    restore_signals(P, r, args)
    restore_timeouts(P, r)
    restore_items(P, r, now, args)
    record_history(P, args[3])
    return 1
  end

  register('restore', restore)
end
