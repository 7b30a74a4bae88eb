"""Cron ticks (spec 02, 8): one entry per (function, expression) in the shard's cron set."""

import msgspec

from apps.engine import clock, cron
from apps.engine.event_stream import EventContext, EventEntry, entry_fields
from apps.engine.functions import FunctionSpec, Trigger
from apps.engine.protocol import dates, ids
from apps.engine.store.client import Argument
from apps.engine.store.functions import FunctionCache
from apps.engine.store.queue import Queue

_LIMIT = 200
_CATCH_UP_MS = 600_000
_NAME = "inngest/scheduled.timer"


class CronTicker:
    """Keeps the set of ticks in step with the functions, and sends those that are due."""

    def __init__(self, queue: Queue, functions: FunctionCache) -> None:
        self._queue = queue
        self._functions = functions
        self._key = f"{queue.prefix}:cron"
        # Not the cache's word that it has changed: others who refresh it would hear that instead of us.
        self._followed_version: int | None = None

    async def follow_functions(self) -> None:
        """Make the set of ticks that of the current functions; ticks already set stay as they are."""
        await self._functions.refresh()
        version = self._functions.version
        if version == self._followed_version:
            return
        wanted = self._wanted()
        present = {member.decode() for member in await self._queue.client.execute("ZRANGE", self._key, 0, -1)}
        commands: list[list[Argument]] = [
            ["ZREM", self._key, gone] for gone in sorted(present - wanted.keys())
        ]
        for member in sorted(wanted.keys() - present):
            tick = cron.next_tick_ms(wanted[member], clock.now_ms())
            if tick is not None:
                commands.append(["ZADD", self._key, "NX", tick, member])
        await self._queue.client.pipeline(commands)
        self._followed_version = version

    def _wanted(self) -> dict[str, str]:
        return {
            f"{spec.id}|{trigger.cron}": trigger.cron
            for spec in self._functions.all()
            if not spec.archived
            for trigger in spec.triggers
            if trigger.cron
        }

    async def fire(self, now: int) -> None:
        """Send the event of every tick that is due, and set the next ones."""
        due = await self._queue.client.execute(
            "ZRANGEBYSCORE", self._key, "-inf", now, "WITHSCORES", "LIMIT", 0, _LIMIT
        )
        for member, score in zip(due[::2], due[1::2], strict=True):
            await self._fire_one(member.decode(), int(float(score)), now)

    async def _fire_one(self, member: str, tick: int, now: int) -> None:
        function_id, _, expression = member.partition("|")
        following = cron.next_tick_ms(expression, now)
        arguments: list[Argument] = [member, tick, following if following is not None else ""]
        spec = self._functions.get(function_id)
        trigger = _trigger(spec, expression)
        latest = _latest_tick(expression, tick, now)
        if spec is not None and trigger is not None and latest is not None:
            arguments += entry_fields(_event(spec, trigger, latest, now))
        await self._queue.library.call("cron_fire", *arguments)


def _trigger(spec: FunctionSpec | None, expression: str) -> Trigger | None:
    if spec is None or spec.archived:
        return None
    return next((trigger for trigger in spec.triggers if trigger.cron == expression), None)


def _latest_tick(expression: str, tick: int, now: int) -> int | None:
    """Of the ticks missed while down only the last one fires, and none that is too old (spec 02, 8.4)."""
    earliest = now - _CATCH_UP_MS
    latest = tick if tick >= earliest else None
    following = cron.next_tick_ms(expression, max(tick, earliest - 1))
    while following is not None and following <= now:
        latest, following = following, cron.next_tick_ms(expression, following)
    return latest


def _event(spec: FunctionSpec, trigger: Trigger, tick: int, now: int) -> EventEntry:
    expression = trigger.cron
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
