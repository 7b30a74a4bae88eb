-- The fairness router: start-time fair queueing over account, environment, function, and key queue.
--
-- A node's ready set orders its backlogged children by start tag. Serving a child advances its tag by
-- 1 / weight, so an idle tenant's first item is next whatever another has queued. A child that has
-- nothing to give (empty, full, paused) is not in the set; what unblocks it puts it back.

local function node_is_open(P, node)
  local lim, pz = unpack(call('HMGET', P .. ':n:' .. node, 'lim', 'pz'))
  if pz == '1' then return false end
  return not lim or call('SCARD', P .. ':h:' .. node) < tonumber(lim)
end

-- A function may have items of its own and, in q, ready key queues (12_leaves.lua).
local function has_work(P, node)
  return call('EXISTS', P .. ':r:' .. node, P .. ':q:' .. node) > 0
end

-- Put a node with work into its parent's ready set, and its ancestors into theirs.
local function activate(P, node)
  local child = node
  while child ~= 'root' do
    if not has_work(P, child) or not node_is_open(P, child) then return end
    local parent, finish = unpack(call('HMGET', P .. ':n:' .. child, 'p', 'f'))
    if not parent then return end
    local ready = P .. ':r:' .. parent
    if call('ZSCORE', ready, child) then return end
    local start = math.max(num(call('HGET', P .. ':n:' .. parent, 'v')), num(finish))
    call('ZADD', ready, start, child)
    child = parent
  end
  nudge(P .. ':wake')
end

local function drop_child(P, parent, child)
  call('ZREM', P .. ':r:' .. parent, child)
end

-- Charge services to a child that was served at its start tag, and keep it ready while it can be.
local function charge(P, parent, child, start, services)
  local node = P .. ':n:' .. child
  local cost = 1 / (tonumber(call('HGET', node, 'w')) or 1)
  local finish = start + services * cost
  call('HSET', node, 'f', finish)
  -- The parent's time is the start of its last service: what a child is given while it is alone is nobody's debt.
  if services > 1 then call('HSET', P .. ':n:' .. parent, 'v', finish - cost) end
  if has_work(P, child) and node_is_open(P, child) then
    call('ZADD', P .. ':r:' .. parent, finish, child)
  else
    drop_child(P, parent, child)
  end
end

-- The fairest function that may run now, with the path of (parent, child, start tag) to it.
local function descend(P)
  local path, node = {}, 'root'
  while string.sub(node, 1, 2) ~= 'f:' do
    local head = call('ZRANGE', P .. ':r:' .. node, 0, 0, 'WITHSCORES')
    local child = head[1]
    if not child then
      if node == 'root' then return nil end
      drop_child(P, path[#path][1], node)
      path, node = {}, 'root'
    elseif not has_work(P, child) or not node_is_open(P, child) then
      drop_child(P, node, child)
    else
      local start = tonumber(head[2])
      call('HSET', P .. ':n:' .. node, 'v', start)
      path[#path + 1] = { node, child, start }
      node = child
    end
  end
  return node, path
end

local function charge_path(P, path, services)
  for level = #path, 1, -1 do
    charge(P, path[level][1], path[level][2], path[level][3], services)
  end
end

-- How many services may go to the end of a path before the tree has to be asked again: one while anybody
-- competes with it, else as many as its limits have room for, since every further descent would end there too.
local function slice_of(P, path)
  local room = math.huge
  for _, step in ipairs(path) do
    if call('ZCARD', P .. ':r:' .. step[1]) > 1 then return 1 end
    local lim = call('HGET', P .. ':n:' .. step[2], 'lim')
    if lim then room = math.min(room, tonumber(lim) - call('SCARD', P .. ':h:' .. step[2])) end
  end
  return room
end
