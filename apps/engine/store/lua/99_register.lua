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

register('schedule', schedule)
register('acknowledge', acknowledge)
register('drop_lock', drop_lock)
register('configure', configure)
register('configure_account', configure_account)
register('configure_environment', configure_environment)
register('cron_fire', cron_fire)
register('lease', lease)
register('rekey', rekey)
register('extend', extend)
register('sweep', sweep)
register('state', state)
register('tick', tick)
register('commit', commit)
register('checkpoint', checkpoint)
register('pause_find', pause_find)
register('pause_scan', pause_scan)
register('resume_pause', resume_pause)
register('pauses_due', pauses_due)
register('finish', finish)
register('run_timeout', run_timeout)
register('requeue', requeue)
register('verify', verify)
register('restore', restore)
register_reader('inspect_functions', inspect_functions)
register_reader('inspect_keys', inspect_keys)
register_reader('inspect_accounts', inspect_accounts)
