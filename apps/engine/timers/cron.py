"""Cron ticks (spec 02, 8): one entry per (function, expression) in the shard's cron set."""

import msgspec

from apps.engine import clock, cron
from apps.engine.event_stream import EventContext, EventEntry, entry_fields
from apps.engine.functions import FunctionSpec
from apps.engine.protocol import dates, ids
from apps.engine.store.client import Argument
from apps.engine.store.functions import FunctionCache
from apps.engine.store.queue import Queue

_LIMIT = 200
_CATCH_UP_MS = 600_000
_NAME = "inngest/scheduled.timer"


class CronTicker:
    def __init__(self, queue: Queue, functions: FunctionCache) -> None:
        self._queue = queue
        self._functions = functions
        self._key = f"{queue.prefix}:cron"

    async def follow_functions(self) -> None:
        """Make the set of ticks that of the current functions; ticks already set stay as they are."""
        if not await self._functions.refresh():
            return
        wanted = {
            _member(spec, trigger.cron): trigger.cron
            for spec in self._functions.all()
            if not spec.archived
            for trigger in spec.triggers
            if trigger.cron
        }
        present = {member.decode() for member in await self._queue.client.execute("ZRANGE", self._key, 0, -1)}
        commands: list[list[Argument]] = [
            ["ZREM", self._key, gone] for gone in sorted(present - wanted.keys())
        ]
        for member in sorted(wanted.keys() - present):
            tick = cron.next_tick_ms(wanted[member], clock.now_ms())
            if tick is not None:
                commands.append(["ZADD", self._key, "NX", tick, member])
        await self._queue.client.pipeline(commands)

    async def fire(self, now: int) -> None:
        """Send the event of every tick that is due, and set the next ones."""
        due = await self._queue.client.execute(
            "ZRANGEBYSCORE", self._key, "-inf", now, "WITHSCORES", "LIMIT", 0, _LIMIT
        )
        for member, score in zip(due[::2], due[1::2], strict=True):
            await self._fire_one(member.decode(), int(float(score)), now)

    async def _fire_one(self, member: str, tick: int, now: int) -> None:
        function_id, _, expression = member.split("|", 2)
        spec = self._functions.get(function_id)
        latest = _latest_tick(expression, tick, now)
        following = cron.next_tick_ms(expression, latest)
        arguments: list[Argument] = [member, tick, following if following is not None else ""]
        if spec is not None and not spec.archived and now - latest <= _CATCH_UP_MS:
            arguments += entry_fields(_event(spec, expression, latest, now))
        await self._queue.library.call("cron_fire", *arguments)


def _member(spec: FunctionSpec, expression: str) -> str:
    return f"{spec.id}|{spec.version}|{expression}"


def _latest_tick(expression: str, tick: int, now: int) -> int:
    """The last tick that is not in the future: of ticks missed while down, only this one fires."""
    following = cron.next_tick_ms(expression, tick)
    while following is not None and following <= now:
        tick, following = following, cron.next_tick_ms(expression, following)
    return tick


def _event(spec: FunctionSpec, expression: str, tick: int, now: int) -> EventEntry:
    trigger = next(trigger for trigger in spec.triggers if trigger.cron == expression)
    delay = cron.jitter_ms(f"{spec.id}|{expression}|{tick}", trigger.jitter_ms) if trigger.jitter_ms else 0
    tick_text = dates.rfc3339(tick)
    event = {
        "data": {"cron": expression, "fireAt": dates.rfc3339(tick + delay), "scheduledAt": tick_text},
        "id": tick_text,
        "name": _NAME,
        "ts": tick + delay,
        "user": {},
    }
    context = EventContext(
        function_id=spec.id,
        idempotency=tick_text,
        remember=True,
        start_at=tick + delay,
        source="cron",
        cron=expression,
    )
    body = msgspec.json.encode(event)
    return EventEntry(ids.new_ulid(now), spec.env_id, spec.account_id, _NAME, body, context)
