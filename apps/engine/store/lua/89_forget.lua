-- Forgetting functions, whose environment is being erased. Nothing starts in it any more (is_archived).

do
  -- forget_runs(function, limit) -> how many of its live runs are left, after ending up to `limit` of them without
  -- a record. A worker that has leased an item of one finds the run gone, and gives its slot back.
  local function forget_runs(keys, args)
    local P, fn = keys[1], args[1]
    for _, run in ipairs(call('ZRANGE', P .. ':live:' .. fn, 0, tonumber(args[2]) - 1)) do finalise(P, run, '') end
    return call('ZCARD', P .. ':live:' .. fn)
  end

  -- forget_function(function): what it waits at, and its place in sets that it shares with others.
  local function forget_function(keys, args)
    local P, fn = keys[1], args[1]
    for _, bucket in ipairs(call('SMEMBERS', P .. ':wb:' .. fn)) do
      call('DEL', P .. ':w:' .. bucket .. '|' .. fn)
      call('SREM', P .. ':w:' .. bucket, fn)
    end
    local env = call('HGET', P .. ':n:f:' .. fn, 'p')
    if env then call('ZREM', P .. ':r:' .. env, 'f:' .. fn) end
    call('SREM', P .. ':changed', fn)
    call('HDEL', P .. ':functions', fn)
    call('DEL', P .. ':n:f:' .. fn, P .. ':r:f:' .. fn, P .. ':q:f:' .. fn, P .. ':h:f:' .. fn, P .. ':wb:' .. fn)
    return 'OK'
  end

  register('forget_runs', forget_runs)
  register('forget_function', forget_function)
end
