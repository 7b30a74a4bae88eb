-- Control from outside of a run's own answers.

do
  -- requeue(now, run, environment) -> how many of the run's retries are due now instead of later, or -1 where
  -- the environment has no such run. A sleep ends, and a run starts, at its own time: only an item that was
  -- dispatched before (its generation is above 1) is a retry.
  local function requeue(keys, args)
    local P, now, run = keys[1], tonumber(args[1]), args[2]
    if call('HGET', P .. ':run:' .. run, 'e') ~= args[3] then return -1 end
    local count = 0
    for _, id in ipairs(call('SMEMBERS', P .. ':jobs:' .. run)) do
      local kind, generation = unpack(call('HMGET', P .. ':i:' .. id, 'k', 'g'))
      local due = num(call('ZSCORE', P .. ':timers', id))
      if kind ~= 'sleep' and num(generation) > 1 and due > now then
        call('HSET', P .. ':i:' .. id, 'at', now)
        push_timer(P, id, now)
        count = count + 1
      end
    end
    return count
  end

  register('requeue', requeue)
end
