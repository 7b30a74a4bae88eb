-- The rate at which an account may send events (apps/ingest/rates.py).

do
  -- ingest_wait(now, account, events per second, events): count events that were accepted, and tell how long the
  -- account had to wait before them (ms), 0: not at all. A second's worth may come at once; more of it delays
  -- what follows.
  local function ingest_wait(keys, args)
    local key, now, rate = keys[1] .. ':in:' .. args[2], num(args[1]), num(args[3])
    if rate <= 0 then return 1000 end
    local arrival = math.max(num(call('GET', key)), now)
    local after = arrival + 1000 * num(args[4]) / rate
    if after > arrival then
      call('SET', key, string.format('%.3f', after), 'PX', math.ceil(after - now) + 1000)
    end
    return math.max(0, math.ceil(arrival - now - 999))
  end

  register('ingest_wait', ingest_wait)
end
