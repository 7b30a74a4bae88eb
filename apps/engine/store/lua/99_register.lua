-- Every function carries the library's version in its name, so that two releases can share a server.
local function register(name, body)
  redis.register_function(name .. VERSION, function(keys, args)
    call = redis.call
    return body(keys, args)
  end)
end

register('schedule', schedule)
register('acknowledge', acknowledge)
register('configure', configure)
register('cron_fire', cron_fire)
register('lease', lease)
register('extend', extend)
register('sweep', sweep)
register('state', state)
register('tick', tick)
register('commit', commit)
register('checkpoint', checkpoint)
register('pause_find', pause_find)
register('resume_pause', resume_pause)
register('pauses_due', pauses_due)
register('finish', finish)
register('run_timeout', run_timeout)
