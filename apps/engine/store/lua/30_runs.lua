-- Run state: memos, the stack, the pending group, and what follows when a step finishes.

local function run_exists(P, run) return call('EXISTS', P .. ':run:' .. run) == 1 end

-- First write wins. Returns the step's position in the stack.
local function save_memo(P, run, step, memo)
  if call('HSETNX', P .. ':memo:' .. run, step, memo) == 1 then
    local position = call('RPUSH', P .. ':stack:' .. run, step)
    local key = P .. ':run:' .. run
    call('HINCRBY', key, 'sz', #memo)
    call('HDEL', key, 'em')
    return position
  end
  return call('LLEN', P .. ':stack:' .. run)
end

-- Removes the step from its group; true when the run may go on: the group is empty, or it is a race.
local function leave_group(P, run, step, race)
  call('SREM', P .. ':pending:' .. run, step)
  call('SREM', P .. ':racing:' .. run, step)
  return race or call('SCARD', P .. ':pending:' .. run) == 0
end

-- A new item of the run, stored and not placed: returns its place (20_items.lua).
local function new_run_item(P, run, now, due, kind, extra)
  local fn, env, account, score, leaf, kv =
    unpack(call('HMGET', P .. ':run:' .. run, 'f', 'e', 'a', 'sc', 'lf', 'kv'))
  local id = next_item_id(P)
  local fields = { 'k', kind, 'at', due, 'sc', score }
  for i = 1, #extra do fields[#fields + 1] = extra[i] end
  if leaf then
    for _, value in ipairs({ 'lf', leaf, 'kv', kv }) do fields[#fields + 1] = value end
  end
  store_item(P, id, run, fn, env, account, now, fields)
  return { id, fn, num(score), leaf or nil, run, kind == 'start' }
end

-- While a discovery of the run is under way the next one waits for its answer, so that many branches
-- that end together cost few requests; but no longer than this, since the app may hang in it.
local DISCOVERY_WAIT_MS = 250

local function has_unfinished(P, run)
  return call('EXISTS', P .. ':pending:' .. run, P .. ':racing:' .. run) > 0
end

-- Make sure that a discovery will see everything saved so far. One that is queued and not leased yet
-- serves, since state is read at the lease. Returns the place of the new item, when there is one to be placed.
local function want_discovery(P, run, now, position)
  local key = P .. ':run:' .. run
  local ver, queued, leased = unpack(call('HMGET', key, 'ver', 'dq', 'dl'))
  if num(ver) >= 2 and not has_unfinished(P, run) then call('HSET', key, 'die', '0') end
  if queued then
    call('HSET', P .. ':i:' .. queued, 'c', position)
    return nil
  end
  local place = new_run_item(P, run, now, now, 'edge', { 'c', position })
  call('HSET', key, 'dq', place[1])
  if leased then
    push_timer(P, place[1], now + DISCOVERY_WAIT_MS)
    return nil
  end
  return place
end

-- A discovery is no longer under way: the one that waited for it may go.
local function discovery_answered(P, run, id)
  local key = P .. ':run:' .. run
  local queued, leased = unpack(call('HMGET', key, 'dq', 'dl'))
  if leased ~= id then return end
  call('HDEL', key, 'dl')
  if queued and call('ZREM', P .. ':timers', queued) == 1 then
    push_ready(P, place_of(queued, hash_of(P .. ':i:' .. queued)))
  end
end

local function schedule_discovery(P, run, now, position)
  local place = want_discovery(P, run, now, position)
  if place then push_ready(P, place) end
end

-- A step finished outside of a commit (wake-up, event, signal, timeout).
local function finish_step(P, run, now, step, memo, race)
  local position = save_memo(P, run, step, memo)
  if leave_group(P, run, step, race) then schedule_discovery(P, run, now, position) end
end

-- The stack position that a targeted item reports: that of the item that planned it.
local function mark_seen(P, run, step)
  return call('SADD', P .. ':seen:' .. run, step) == 1
    and call('HEXISTS', P .. ':memo:' .. run, step) == 0
end

local function delete_run_items(P, run, keep)
  for _, id in ipairs(call('SMEMBERS', P .. ':jobs:' .. run)) do
    local item = hash_of(P .. ':i:' .. id)
    -- A leased item answers later: its worker finds the run gone and gives the slot back.
    if item.f and id ~= keep and (item.lt or '') == '' then delete_item(P, id, item) end
  end
end

-- n x (n-fields, fields...) at args[at]: returns the position after them.
local function skip_events(args, at)
  local count = tonumber(args[at])
  at = at + 1
  for _ = 1, count do at = at + 1 + tonumber(args[at]) end
  return at
end

local function append_events(P, args, at)
  local count = tonumber(args[at])
  at = at + 1
  for _ = 1, count do
    local fields = tonumber(args[at])
    call('XADD', P .. ':events', '*', unpack(args, at + 1, at + fields))
    at = at + fields + 1
  end
  return at
end
