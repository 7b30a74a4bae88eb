"""`manage.py queue inspect`: a function, an account, or (without an option) the whole shard.

Exit codes: 0; 1 where there is no such function, account or cursor; 3 while Redis is away.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec
from django.core.management.base import CommandParser, OutputWrapper

from apps.engine import clock
from apps.engine.inspection import KEYS_PER_PAGE, InvalidCursor
from apps.engine.queue_views import (
    AccountQueue,
    Block,
    FirstItem,
    FunctionQueue,
    KeyQueue,
    ShardQueue,
    Slots,
)
from apps.operations.management.queue.tables import facts, seconds, table
from apps.operations.queues import block_words, queue_of_account, queue_of_function, queue_of_shard
from apps.registry import selectors as registry
from apps.registry.models import Function
from apps.tenancy.models import DEV_ENVIRONMENT_ID

HELP: Final = "Show what waits in the queue, since when, and for what."
NOT_FOUND: Final = 1
_NOTHING: Final = "-"

Found = FunctionQueue | AccountQueue | ShardQueue


def add_arguments(parser: CommandParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--function", metavar="SLUG", help="one function, by its slug or id")
    what.add_argument("--account", metavar="ID", type=UUID, help="one account, in sum")
    what.add_argument("--shard", action="store_true", help="everything (the default)")
    parser.add_argument("--environment", metavar="ID", type=UUID, default=DEV_ENVIRONMENT_ID)
    parser.add_argument("--limit", type=int, default=KEYS_PER_PAGE, help="key queues to show of the function")
    parser.add_argument("--cursor", default="", help="go on after the last page of key queues")
    parser.add_argument("--json", action="store_true", help="the same as one JSON object")


def run(out: OutputWrapper, err: OutputWrapper, options: Mapping[str, Any]) -> int:
    try:
        found = _find(options)
    except InvalidCursor:
        err.write("Error: this is no cursor of key queues")
        return NOT_FOUND
    if found is None:
        err.write(f"Error: the queue has no such {'function' if options['function'] else 'account'}")
        return NOT_FOUND
    out.write(json.dumps(_as_json(found), indent=2) if options["json"] else _as_text(found))
    return 0


def _find(options: Mapping[str, Any]) -> Found | None:
    if options["account"]:
        return queue_of_account(options["account"])
    if not options["function"]:
        return queue_of_shard()
    environment_id = options["environment"]
    function = _function(environment_id, options["function"])
    if function is None:
        return None
    return queue_of_function(
        environment_id, function.id, cursor=options["cursor"], limit=max(1, options["limit"])
    )


def _function(environment_id: UUID, name: str) -> Function | None:
    try:
        function_id = UUID(name)
    except ValueError:
        return registry.function_by_slug(environment_id, name)
    return registry.function_by_id(environment_id, function_id)


def _as_json(found: Found) -> Any:
    values = msgspec.to_builtins(found)
    return {**values, "depth": found.depth} if isinstance(found, FunctionQueue) else values


def _as_text(found: Found) -> str:
    match found:
        case FunctionQueue():
            return _function_text(found)
        case AccountQueue():
            return _account_text(found)
        case ShardQueue():
            return _shard_text(found)


def _function_text(found: FunctionQueue) -> str:
    sections = [facts(_function_facts(found))]
    if found.keys:
        rows = [_key_row(queue) for queue in found.keys]
        sections.append(table(("KEY QUEUE", "STEPS", "STARTS", "WAITING", "BLOCKED BY"), rows))
    if found.cursor:
        sections.append(f"There are more: --cursor '{found.cursor}'")
    return "\n\n".join(sections)


def _function_facts(found: FunctionQueue) -> dict[str, object]:
    return {
        "function": f"{found.slug} ({found.function_id})",
        "state": ", ".join(_states(found)) or "active",
        "blocked by": _block(found.blocked_by),
        "depth": f"{_count(found.depth, found.is_complete)} ({found.own_items:,} without keys, "
        f"{found.key_steps:,} steps and {found.key_starts:,} starts with; key queues: {found.key_queues:,})",
        "in flight": _slots(found.own),
        "account": _slots(found.account),
        "live runs": f"{found.live_runs:,}",
        "first": _first(found.first),
    }


def _states(found: FunctionQueue) -> list[str]:
    switches = {"paused": found.is_paused, "drained": found.is_drained}
    return [name for name, is_on in switches.items() if is_on]


def _key_row(queue: KeyQueue) -> tuple[object, ...]:
    name = ", ".join(dict.fromkeys(f"{expression} = {value}" for _, expression, value in queue.keys))
    blocked = "nothing, its keys are outdated" if queue.is_outdated else _block(queue.blocked_by, queue)
    if queue.steps and queue.starts_blocked_by and queue.starts_blocked_by != queue.blocked_by:
        blocked += f"; starts: {_block(queue.starts_blocked_by, queue)}"
    return name or "(all runs)", queue.steps, queue.starts, _waiting(queue.first), blocked


def _account_text(found: AccountQueue) -> str:
    overview = facts(
        {
            "account": found.account_id,
            "depth": _count(found.depth, found.is_complete),
            "in flight": _slots(found.slots) + ("" if found.has_own_limit else " (the default)"),
            "weight": f"{found.weight:g}",
            "live runs": f"{found.live_runs:,}",
            "functions": f"{len(found.functions)} with work, {len(found.blocked_functions)} blocked",
        }
    )
    if not found.functions:
        return overview
    rows = [
        (queue.slug, queue.depth, _slots(queue.own), _waiting(queue.first), _block(queue.blocked_by))
        for queue in found.functions
    ]
    return f"{overview}\n\n{table(('FUNCTION', 'DEPTH', 'IN FLIGHT', 'WAITING', 'BLOCKED BY'), rows)}"


def _shard_text(found: ShardQueue) -> str:
    sections = [facts(_shard_facts(found))]
    if found.groups:
        rows = [
            (group.stream, group.group, _NOTHING if group.lag is None else group.lag, group.pending)
            for group in found.groups
        ]
        sections.append(table(("STREAM", "GROUP", "UNREAD", "UNACKNOWLEDGED"), rows))
    if found.accounts:
        accounts = [
            (account.account_id, account.depth, _slots(account.slots), f"{account.weight:g}")
            for account in found.accounts
        ]
        sections.append(table(("ACCOUNT", "DEPTH", "IN FLIGHT", "WEIGHT"), accounts))
    return "\n\n".join(sections)


def _shard_facts(found: ShardQueue) -> dict[str, object]:
    return {
        "shard": found.shard,
        "library": found.library,
        "ready": _count(found.ready, found.is_complete),
        "leases": f"{found.leases:,}",
        "timers": f"{found.timers:,}",
        "pauses": f"{found.pauses:,}",
        "live runs": _count(found.live_runs, found.is_complete),
        "run timeouts": f"{found.run_timeouts:,}",
        "throttles": f"{found.gates:,} closed",
        "held back": f"{found.debounces:,} debounces, {found.batches:,} batches",
        "schedules": f"{found.crons:,}",
        "streams": f"events {found.events:,}, history {found.history:,} entries",
        "functions": f"{found.functions:,}",
        "accounts": f"{len(found.accounts):,} with work",
    }


def _count(number: int, is_complete: bool) -> str:
    return f"{number:,}" if is_complete else f"at least {number:,}"


def _slots(slots: Slots) -> str:
    return f"{slots.holders:,}" if slots.limit is None else f"{slots.holders:,} of {slots.limit:,}"


def _block(block: Block | None, queue: KeyQueue | None = None) -> str:
    if block is None:
        return "nothing"
    words = block_words(block, queue)
    if block.free_at is None:
        return words
    return f"{words}, opens in {seconds(max(0, block.free_at - clock.now_ms()))}"


def _first(first: FirstItem | None) -> str:
    return f"run {first.run_id}, waiting {_waiting(first)}" if first else _NOTHING


def _waiting(first: FirstItem | None) -> str:
    return seconds(max(0, clock.now_ms() - first.since)) if first else _NOTHING
