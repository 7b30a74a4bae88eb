-- Key dictionary. P is the shard's prefix with its hash tag, for instance {q:0}.
--
-- Router (10_router.lua, 12_leaves.lua). A node is `root`, `a:<account>`, `e:<environment>`, `f:<function>`, or a
-- function's key queue, the leaf `k:<function>:<hash of its keys' values>`.
--   P:n:<node>      hash  p parent node, w weight, v virtual time of its children, f finish tag of its
--                         last service, lim slots (absent: unlimited), pz "1" while paused,
--                         fv version of the function, dr "1" while drained: no new runs
--                         of a function also kv version of its keys (absent: none), k1 k2 limits of its concurrency
--                         keys, tT tD interval and tolerance of its throttle (ms), l1 l2 limits of runs in
--                         progress, ac how often one of its leaves became ready; of an account own "1": its limit is
--                         not the default; of an environment ar "1" while archived: nothing starts;
--                         of a leaf p, f, kv, kd keys for people (JSON), c1 c2 t r1 r2 its buckets, bs the bucket
--                         at which it waits (with #2 where it is its second key), bt that at which its starts
--                         wait. An empty leaf lasts 60 s.
--   P:r:<node>      zset  ready children by start tag; of functions and leaves: ready items by score (ms)
--   P:rs:<leaf>     zset  ready starts that have not been admitted, by score
--   P:q:f:<fn>      zset  ready leaves of a function by start tag
--   P:h:<node>      set   items that hold a slot (accounts and functions)
--   P:h:<bucket>    set   items, or for r: runs, that hold a unit of a key
--   P:th:<bucket>   str   throttle: theoretical arrival time, ms
--   P:w:<bucket>    set   functions with leaves that wait at the bucket
--   P:w:<bucket>|<fn> zset  those leaves by finish tag
--   P:wb:<fn>       set   buckets at which leaves of the function wait
--   P:gates         zset  `<function>|<bucket>` of throttles at which leaves wait, by when they let one in, ms
--   P:changed       set   functions whose limits have changed: what waits looks again; how far
--                         that has come is in cs of the function's node
-- Items (items.lua)
--   P:i:<item>      hash  k kind, r run, f function, e environment, a account, s target step,
--                         at due ms, sc score, n attempt, g generation, c stack position, lt lease
--                         token, x lease ends in a row, q enqueued ms, b payload, hb history on wake,
--                         rc "1": race mode, j job number (one more each
--                         time the item goes on with its run in place), lf leaf, kv version of the keys it is
--                         filed under, h1 h2 buckets in which it holds a unit, tk "1": an admitted start,
--                         uk "1": leased only to be given new keys, without a slot
--   P:timers        zset  items that are due later, by due ms
--   P:leases        zset  leased items by lease end
--   P:seq           int   last item number
--   P:wake, P:tick  list  pushed to wake an idle worker, the timer service
-- Runs (runs.lua); all are deleted when the run ends
--   P:run:<run>     hash  f, e, a, app, ev events (JSON array), m meta (JSON), ver request version,
--                         die "1": plan only, sz bytes, q queued ms,
--                         du due ms of the first request, when that has a deadline, st started ms,
--                         dq queued and dl leased discovery item, em empty answers in a row, fe failed attempts of its own code,
--                         lf leaf, kv its key version, gb its buckets, kd its keys for people (JSON),
--                         rb1 rb2 buckets of runs in progress that it holds, sl its singleton lock,
--                         sc score of its items, is and iv step whose input is replaced, and the input
--   P:memo:<run>    hash  step id -> memo
--   P:stack:<run>   list  finished step ids in order
--   P:pending:<run> set   unfinished ids of the parallel group
--   P:racing:<run>  set   unfinished ids that race: the run does not wait for them, but stays in plan mode
--   P:seen:<run>    set   ids planned, asleep or waiting
--   P:jobs:<run>    set   items of the run
--   P:rp:<run>      set   pauses of the run
--   P:defer:<run>   hash  hashed id -> deferral JSON
--   P:live:<fn>     zset  live runs of a function by queued ms
--   P:rt            zset  run timeouts, `<run>|s` and `<run>|f`, by due ms
-- Scheduling
--   P:idem:<key>    str   run id, for 24 h
--   P:rl:<bucket>   zset  admissions of a rate limit by ms, for its period; with :at, in gcra mode, a str: its
--                         theoretical arrival time
--   P:once:<entry>  hash  function -> run id or `!<outcome> <detail>`, <function>:ok -> "1": the rate limit let it in,
--                         r:<pause> -> resumed run, c:<cancelled run>, until the stream entry is acknowledged
--   P:sg:<lock>     str   the run that holds a singleton's lock
--   P:db:<bucket>   hash  debounced event: f e a as above, ts, hard latest time it fires, i internal id, n name, b body,
--                         x context of the entry that it becomes, c correlation id; P:dbq zset buckets by due ms
--   P:bt:<bucket>   hash  open batch: id, f e a, n name of its first event, x context, l internal ids, c correlation
--                         ids, sz bytes, at ms; P:bl:<bucket> list of bodies; P:btq zset buckets by due ms
--   P:bd:<key>      str   an internal id that was batched, for 30 min
--   P:cron          zset  `<function>|<expression>` by tick ms
--   P:in:<account>  str   rate of accepted events: theoretical arrival time, ms
--   P:idk:<env>:<hash> str an answer that is given again (apps/api/rest/idempotency.py), for 24 h
-- Pauses (pauses.lua)
--   P:p:<pause>     hash  k kind (wait, signal, invoke, cancel), r run, s step, e environment, ev event
--                         name, x expression, key bucket, path indexed path, cov "1": the bucket covers
--                         the expression, af stream id after which events match, rc race, sg signal, hb history of
--                         a replaced waiter, ex expiry ms
--   P:px            zset  pauses by expiry
--   P:pn:<env>:<ev> hash  indexed path (or *) -> number of pauses
--   P:pb:<env>:<ev>:<key> set  pauses in a bucket; key * holds those without an index
--   P:sig:<env>:<name>    str  the pause that waits for the signal
-- Recovery (85_verify.lua, 87_restore.lua)
--   P:epoch         str   set once the queue is whole; gone: Redis was emptied, and the runs are to be restored
--   P:rebuilding    str   token of the rebuild under way; gone: Redis was emptied again meanwhile
--   P:violations    hash  kind of invariant -> how often it did not hold and was repaired
-- Telemetry: P:counters and P:processes (keys.py)
-- Functions: P:functions and P:functions:version (keys.py)
-- Streams: P:events (event_stream.py), P:history (records.py)

-- A moment in ms, today, is exact to 0.0002 ms as a Lua number: what is computed of several is compared with this
-- much leave, so that a fraction of nothing does not cost a whole millisecond.
local ROUNDING_MS = 0.01

-- redis.call does not exist while a library loads: the first call of a function sets it.
local call = nil

local function num(value) return tonumber(value) or 0 end

local function hash_of(key)
  local flat, out = call('HGETALL', key), {}
  for i = 1, #flat, 2 do out[flat[i]] = flat[i + 1] end
  return out
end

local function record_history(P, blob)
  if blob and blob ~= '' then call('XADD', P .. ':history', '*', 'd', blob) end
end

local function nudge(key)
  if call('LLEN', key) == 0 then call('LPUSH', key, '1') end
end

-- Every function carries the library's version in its name, so that two releases can share a server.
local function register(name, body)
  redis.register_function(name .. VERSION, function(keys, args)
    call = redis.call
    return body(keys, args)
  end)
end

-- The server refuses a write of such a function.
local function register_reader(name, body)
  redis.register_function({ function_name = name .. VERSION, flags = { 'no-writes' }, callback = function(keys, args)
    call = redis.call
    return body(keys, args)
  end })
end
