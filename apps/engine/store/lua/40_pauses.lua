-- Pauses: what waits for an event, a signal, an invoked run, or cancels a run on an event.

local function pause_bucket(P, env, event, key)
  return P .. ':pb:' .. env .. ':' .. event .. ':' .. key
end

-- fields: flat list of the pause's hash fields besides k, r, s, e, ex.
local function add_pause(P, id, kind, run, step, env, expires, fields)
  local key = P .. ':p:' .. id
  call('HSET', key, 'k', kind, 'r', run, 's', step, 'e', env, 'ex', expires, unpack(fields))
  call('ZADD', P .. ':px', expires, id)
  call('SADD', P .. ':rp:' .. run, id)
  if call('ZRANGE', P .. ':px', 0, 0)[1] == id then nudge(P .. ':tick') end
end

local function index_pause(P, id, env, event, bucket, path)
  call('HINCRBY', P .. ':pn:' .. env .. ':' .. event, path, 1)
  call('SADD', pause_bucket(P, env, event, bucket), id)
end

local function remove_pause(P, id, pause)
  call('ZREM', P .. ':px', id)
  call('SREM', P .. ':rp:' .. pause.r, id)
  if pause.ev then
    local names = P .. ':pn:' .. pause.e .. ':' .. pause.ev
    if call('HINCRBY', names, pause.path, -1) <= 0 then call('HDEL', names, pause.path) end
    call('SREM', pause_bucket(P, pause.e, pause.ev, pause.key), id)
  end
  if pause.sg then
    local holder = P .. ':sig:' .. pause.e .. ':' .. pause.sg
    if call('GET', holder) == id then call('DEL', holder) end
  end
  call('DEL', P .. ':p:' .. id)
end

local function remove_run_pauses(P, run)
  for _, id in ipairs(call('SMEMBERS', P .. ':rp:' .. run)) do
    local pause = hash_of(P .. ':p:' .. id)
    if pause.r then remove_pause(P, id, pause) end
  end
end

-- End a run: the caller that finds it alive wins. Everything of it goes; history keeps its story.
local function finalise(P, run, keep_item)
  local fn, lock, rb1, rb2 = unpack(call('HMGET', P .. ':run:' .. run, 'f', 'sl', 'rb1', 'rb2'))
  call('ZREM', P .. ':live:' .. fn, run)
  if lock and call('GET', P .. ':sg:' .. lock) == run then call('DEL', P .. ':sg:' .. lock) end
  for _, bucket in pairs({ rb1 = rb1, rb2 = rb2 }) do
    if bucket then
      call('SREM', P .. ':h:' .. bucket, run)
      wake_leaf(P, fn, bucket)
    end
  end
  delete_run_items(P, run, keep_item)
  remove_run_pauses(P, run)
  call('ZREM', P .. ':rt', run .. '|s', run .. '|f')
  call('DEL', P .. ':run:' .. run, P .. ':memo:' .. run, P .. ':stack:' .. run, P .. ':pending:' .. run,
    P .. ':racing:' .. run, P .. ':seen:' .. run, P .. ':jobs:' .. run, P .. ':rp:' .. run, P .. ':defer:' .. run)
end

-- Resume a pause: exactly one caller finds it.
local function resume(P, id, now, memo, blob)
  local pause = hash_of(P .. ':p:' .. id)
  if not pause.r then return nil end
  remove_pause(P, id, pause)
  if not run_exists(P, pause.r) then return nil end
  record_history(P, blob)
  finish_step(P, pause.r, now, pause.s, memo, pause.rc == '1')
  return pause.r
end
