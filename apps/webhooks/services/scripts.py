"""Checking scripts before they are saved (spec 05, 2.5): they compile, end, and define their function."""

from typing import Final
from uuid import UUID

from django.conf import settings

from apps.webhooks.exceptions import ScriptInvalid, ScriptsBusy, ScriptsUnavailable
from apps.webhooks.runtime.lanes import preview_lane
from apps.webhooks.runtime.messages import MAX_SOURCE_BYTES, Call, Ending, Function, Result
from apps.webhooks.runtime.pool import PoolBusy, PoolUnavailable, ScriptPool, process_pool
from apps.webhooks.scripts import is_too_long

_TOO_LONG: Final = f"A script has at most {MAX_SOURCE_BYTES // 1024} KiB"


def pool() -> ScriptPool:
    return process_pool.get(settings.STEPWELL_TRANSFORM_WORKERS)


def script_run(account_id: UUID, call: Call) -> Result:
    """Waits apart from the account's deliveries. Raises ScriptInvalid, ScriptsBusy, ScriptsUnavailable."""
    if is_too_long(call.source):
        raise ScriptInvalid(_TOO_LONG, about=call.function.script_name)
    try:
        return pool().run_sync(preview_lane(str(account_id)), call)
    except PoolBusy:
        raise ScriptsBusy from None
    except PoolUnavailable:
        raise ScriptsUnavailable from None


def script_check(account_id: UUID, source: str, function: Function) -> None:
    """Raises as `script_run` does, ScriptInvalid too for a script that could never work."""
    if "\0" in source:
        raise ScriptInvalid("A script holds no NUL characters", about=function.script_name)
    result = script_run(account_id, Call(source, function=function))
    if result.ending != Ending.OK:
        raise ScriptInvalid(result.message, result.line, result.column, function.script_name)
