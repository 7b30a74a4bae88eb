-- Looking into the queue: what waits, and for what. Nothing here writes, and the server sees to it
-- (register_reader). One call looks at MOST_LEAVES key queues at most and says whether these were all, so that
-- a function with any number of them cannot hold the server up.
--
-- What stops an item, first to last (spec 02, 3.4): the pause of its function, the throttle (starts only), the
-- limits of its account, of its function, of its concurrency keys, of the runs in progress (starts only). It
-- is worked out from the buckets as they are, wherever a leaf happens to stand. A block is
-- {kind, holders, limit, number of the key, free_at ms}, each where it applies.
--
-- Replies are msgpack of the structs in queue_views.py.

do
  local MOST_LEAVES = 300
  local CHUNK = 100

  local function slots_of(P, node)
    return { holders = call('SCARD', P .. ':h:' .. node), limit = tonumber(call('HGET', P .. ':n:' .. node, 'lim')) }
  end

  local function block_of(kind, slots)
    if not slots.limit or slots.holders < slots.limit then return nil end
    return { kind = kind, holders = slots.holders, limit = slots.limit }
  end

  -- What stops the function as a whole goes into blocked_by.
  local function read_function(P, fn)
    local env, paused, drained = unpack(call('HMGET', P .. ':n:f:' .. fn, 'p', 'pz', 'dr'))
    local account = env and call('HGET', P .. ':n:' .. env, 'p') or ''
    local view = { function_id = fn, is_paused = paused == '1', is_drained = drained == '1',
      own = slots_of(P, 'f:' .. fn), account = slots_of(P, account), live_runs = call('ZCARD', P .. ':live:' .. fn) }
    view.blocked_by = view.is_paused and { kind = 'paused' } or block_of('account', view.account)
      or block_of('function', view.own)
    return view
  end

  -- Index of the first member after (score, member) in the order of the set.
  local function index_after(key, score, member)
    local low, high = 0, call('ZCARD', key)
    while low < high do
      local middle = math.floor((low + high) / 2)
      local found, its_score = unpack(call('ZRANGE', key, middle, middle, 'WITHSCORES'))
      its_score = tonumber(its_score)
      if its_score < score or (its_score == score and found <= member) then low = middle + 1 else high = middle end
    end
    return low
  end

  -- w: left, how many leaves may still be looked at; at, the position of the last one.
  -- see(leaf) returns false to stop before that leaf. Returns false when stopped.
  local function walk_list(w, key, after, prefix, see)
    local index = after and index_after(key, after[1], after[2]) or 0
    while true do
      local found = call('ZRANGE', key, index, index + CHUNK - 1, 'WITHSCORES')
      for i = 1, #found, 2 do
        if w.left <= 0 or not see(found[i]) then return false end
        w.left, w.at = w.left - 1, prefix .. found[i + 1] .. ' ' .. found[i]
      end
      if #found < 2 * CHUNK then return true end
      index = index + CHUNK
    end
  end

  -- A leaf can stand in three lists; it is counted where it is ready, else where all of it waits, else where
  -- its starts do.
  local function is_counted_at(P, fn, leaf, bucket)
    if call('ZSCORE', P .. ':q:f:' .. fn, leaf) then return false end
    local waits, starts_wait = unpack(call('HMGET', P .. ':n:' .. leaf, 'bs', 'bt'))
    return (waits or starts_wait) == bucket
  end

  local function walk_bucket(w, P, fn, bucket, after, prefix, see)
    if w.left <= 0 then return false end
    w.left = w.left - 1
    if not after then w.at = prefix .. '-1 -' end
    return walk_list(w, waiting_list(P, bucket, fn), after, prefix, function(leaf)
      return not is_counted_at(P, fn, leaf, bucket) or see(leaf)
    end)
  end

  -- position: 'w <scan cursor> <bucket> <tag> <leaf>'
  local function walk_waiting(w, P, fn, position, see)
    local scan, from, tag, leaf = string.match(position, '^w (%d+) (%S+) (%S+) (%S+)$')
    scan = scan or '0'
    repeat
      local reply = call('SSCAN', P .. ':wb:' .. fn, scan, 'COUNT', CHUNK)
      table.sort(reply[2])
      for _, bucket in ipairs(reply[2]) do
        local after = bucket == from and { tonumber(tag), leaf } or nil
        local prefix = 'w ' .. scan .. ' ' .. bucket .. ' '
        if (not from or bucket >= from) and not walk_bucket(w, P, fn, bucket, after, prefix, see) then return false end
      end
      scan, from = reply[1], nil
    until scan == '0'
    return true
  end

  -- Shows the leaves of a function after a position ('' is the beginning), each once. Returns the position
  -- to go on from, or nil at the end.
  local function walk(P, fn, position, budget, see)
    local w = { left = budget.n, at = position }
    local tag, leaf = string.match(position, '^q (%S+) (%S+)$')
    local ended = string.sub(position, 1, 1) == 'w'
      or walk_list(w, P .. ':q:f:' .. fn, tag and { tonumber(tag), leaf }, 'q ', see)
    ended = ended and walk_waiting(w, P, fn, position, see)
    budget.n = w.left
    return not ended and w.at or nil
  end

  -- The item that comes first in its queue, and since when it could run but for limits.
  local function view_item(P, id, score)
    local run, queued, due = unpack(call('HMGET', P .. ':i:' .. id, 'r', 'q', 'at'))
    return { item_id = id, run_id = run or '', score = math.floor(score), since = math.max(num(queued), num(due)) }
  end

  -- Where a leaf has items: how many are steps, how many starts, the first of all, and its score.
  local function count_leaf(P, leaf)
    local steps, starts = call('ZCARD', P .. ':r:' .. leaf), call('ZCARD', P .. ':rs:' .. leaf)
    if steps + starts == 0 then return nil end
    local id, score = nil, nil
    if steps > 0 then id, score = head_of(P .. ':r:' .. leaf) end
    if starts > 0 then
      local start, start_score = head_of(P .. ':rs:' .. leaf)
      if not id or start_score < score then id, score = start, start_score end
    end
    return { steps = steps, starts = starts, id = id, score = score }
  end

  local function summarise(P, fn, budget)
    local view, first, first_score = read_function(P, fn), head_of(P .. ':r:f:' .. fn)
    view.own_items, view.key_steps, view.key_starts, view.key_queues = call('ZCARD', P .. ':r:f:' .. fn), 0, 0, 0
    local rest = walk(P, fn, '', budget, function(leaf)
      local found = count_leaf(P, leaf)
      if not found then return true end
      view.key_queues = view.key_queues + 1
      view.key_steps, view.key_starts = view.key_steps + found.steps, view.key_starts + found.starts
      if not first or found.score < first_score then first, first_score = found.id, found.score end
      return true
    end)
    view.is_complete = rest == nil
    if first then view.first = view_item(P, first, first_score) end
    if view.own_items == 0 and view.key_queues > 0 and call('EXISTS', P .. ':q:f:' .. fn) == 0 then
      view.blocked_by = view.blocked_by or { kind = 'keys' }
    end
    return view
  end

  local function add_usage(P, kind, buckets, limits, usage)
    for i = 1, 2 do
      if buckets[i] and limits[i] then
        local holders = call('SCARD', P .. ':h:' .. buckets[i])
        usage[#usage + 1] = { kind = kind, number = i, holders = holders, limit = limits[i] }
      end
    end
  end

  local function first_full(usage)
    for _, slots in ipairs(usage) do
      if slots.holders >= slots.limit then return slots end
    end
    return nil
  end

  local function throttle_block(P, gates, limits, now)
    if not gates.throttle or not limits.interval then return nil end
    local _, free_at = throttle_times(P, gates.throttle, limits, now)
    return free_at > now and { kind = 'throttle', free_at = free_at } or nil
  end

  -- Items of a leaf whose keys are not those of its function any more only wait to be given their new ones.
  local function set_blocks(P, view, gates, limits, of_function, now)
    view.is_outdated = gates.kv ~= limits.kv
    view.usage = {}
    local steps_block, starts_block = of_function, of_function
    if not view.is_outdated then
      add_usage(P, 'key', gates.keys, limits.keys, view.usage)
      steps_block = of_function or first_full(view.usage)
      add_usage(P, 'runs', gates.runs, limits.runs, view.usage)
      if not of_function or of_function.kind ~= 'paused' then
        starts_block = throttle_block(P, gates, limits, now) or steps_block or first_full(view.usage)
      end
    end
    view.starts_blocked_by = view.starts > 0 and starts_block or nil
    view.blocked_by = view.steps > 0 and steps_block or view.steps == 0 and starts_block or nil
  end

  local function view_leaf(P, leaf, limits, of_function, now)
    local found = count_leaf(P, leaf)
    if not found then return nil end
    local shown = call('HGET', P .. ':n:' .. leaf, 'kd') or ''
    local view = { leaf = leaf, keys = shown ~= '' and cjson.decode(shown) or {}, steps = found.steps,
      starts = found.starts, first = view_item(P, found.id, found.score) }
    set_blocks(P, view, leaf_gates(P, leaf), limits, of_function, now)
    return view
  end

  -- inspect_keys(now, function, position or "", limit) -> {keys, cursor: absent at the end}
  local function inspect_keys(keys, args)
    local P, now, fn, limit = keys[1], tonumber(args[1]), args[2], tonumber(args[4])
    local limits, of_function, page = key_limits(P, fn), read_function(P, fn).blocked_by, {}
    local rest = walk(P, fn, args[3], { n = MOST_LEAVES }, function(leaf)
      local view = view_leaf(P, leaf, limits, of_function, now)
      if view and #page == limit then return false end
      page[#page + 1] = view
      return true
    end)
    return cmsgpack.pack({ keys = page, cursor = rest })
  end

  -- inspect_functions(function...) -> what waits in each of them, in their order
  local function inspect_functions(keys, args)
    local views, budget = {}, { n = MOST_LEAVES }
    for i, fn in ipairs(args) do views[i] = summarise(keys[1], fn, budget) end
    return cmsgpack.pack(views)
  end

  -- inspect_accounts(account...) -> slots and weight of each, in their order
  local function inspect_accounts(keys, args)
    local P, views = keys[1], {}
    for i, account in ipairs(args) do
      local node = 'a:' .. account
      local weight, own = unpack(call('HMGET', P .. ':n:' .. node, 'w', 'own'))
      views[i] = { account_id = account, slots = slots_of(P, node), weight = tonumber(weight) or 1,
        has_own_limit = own == '1' }
    end
    return cmsgpack.pack(views)
  end

  register_reader('inspect_functions', inspect_functions)
  register_reader('inspect_keys', inspect_keys)
  register_reader('inspect_accounts', inspect_accounts)
end
