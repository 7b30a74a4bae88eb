"""Matches events with what waits for them: waits, cancellations, invokes (spec 02, 7)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TypeAlias

import msgspec

from apps.engine import clock, expressions
from apps.engine.keys import Keys
from apps.engine.lifecycle import RunEnder
from apps.engine.protocol import memos
from apps.engine.records import StepRecorded, encode_records
from apps.engine.runner.incoming import Incoming
from apps.engine.runner.routing import FINISHED
from apps.engine.store.client import Argument, Reply
from apps.engine.store.queue import Queue
from apps.engine.store.views import parse_pairs

_Name: TypeAlias = tuple[str, str]  # environment id, event name

_LARGE = "large"
_MOST_AT_ONCE = 200
_BYTES_AT_ONCE = 4 * 1024 * 1024
_CANCELS_AT_ONCE = 20
_FINDS_AT_ONCE = 10


class Found(msgspec.Struct):
    """A pause that an event may concern; `events` is the run's event array where it is needed.

    Of kind large it stands for a whole bucket, whose key is in `run_id`.
    """

    pause_id: str
    kind: str
    run_id: str
    expression: str
    is_covered: bool
    events: bytes


class PauseOutcome(msgspec.Struct):
    resumed: list[str]
    cancelled: list[str]


class _FinishedData(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw(b"")
    error: msgspec.Raw = msgspec.Raw(b"")
    run_id: str = ""
    link: dict[str, str] = msgspec.field(name="_inngest", default_factory=dict)


class _FinishedEvent(msgspec.Struct):
    data: _FinishedData


_finished_decoder = msgspec.json.Decoder(_FinishedEvent)


class PauseMatcher:
    def __init__(self, queue: Queue, ender: RunEnder) -> None:
        self._queue = queue
        self._ender = ender

    async def match(self, batch: list[Incoming], path_replies: list[Reply]) -> dict[str, PauseOutcome]:
        """Resume and cancel what the events of a batch call for, in their order; outcomes by stream id.

        `path_replies` are those to the `path_requests` of the same batch.
        """
        paths: dict[_Name, list[bytes]] = dict(zip(_names(batch), path_replies, strict=True))
        wanted = [
            (incoming, _buckets(incoming, paths[_name(incoming)]))
            for incoming in batch
            if _is_answer(incoming) or paths[_name(incoming)]
        ]
        outcomes: dict[str, PauseOutcome] = {}
        for start in range(0, len(wanted), _FINDS_AT_ONCE):
            part = wanted[start : start + _FINDS_AT_ONCE]
            # What an earlier event of the part resumes or cancels is found for a later one too, in vain.
            for (incoming, _), found in zip(part, await self._find(part), strict=True):
                outcomes[incoming.stream_id] = await self._match_one(incoming, found)
        return outcomes

    async def remembered(self, batch: list[Incoming]) -> dict[str, PauseOutcome]:
        """What an earlier, unfinished try at these events has resumed and cancelled, by stream id."""
        keys = [f"{self._queue.prefix}:once:{incoming.stream_id}" for incoming in batch]
        replies = await self._queue.client.pipeline([("HGETALL", key) for key in keys])
        return {
            incoming.stream_id: _outcome_of(parse_pairs(reply))
            for incoming, reply in zip(batch, replies, strict=True)
        }

    async def _find(self, wanted: list[tuple[Incoming, list[str]]]) -> list[list[Found]]:
        """The pauses in the buckets of each event; a large bucket is told by one of kind large."""
        calls = [[*_where(incoming), *buckets] for incoming, buckets in wanted if buckets]
        replies = iter(await self._queue.library.call_each("pause_find", calls))
        return [[_parse_found(reply) for reply in next(replies)] if buckets else [] for _, buckets in wanted]

    async def _match_one(self, incoming: Incoming, first_page: list[Found]) -> PauseOutcome:
        outcome = PauseOutcome([], [])
        if _is_answer(incoming):
            outcome.resumed += await self._resume_invoke(incoming)
        async for page in self._pages(incoming, first_page):
            matching = [found for found in page if _matches(found, incoming)]
            outcome.resumed += await self._resume(incoming, [f for f in matching if f.kind == "wait"])
            outcome.cancelled += await self._cancel_all(incoming, [f for f in matching if f.kind == "cancel"])
        return outcome

    async def _pages(self, incoming: Incoming, found: list[Found]) -> AsyncIterator[list[Found]]:
        """What was found in one page, and large buckets in pages of their own."""
        yield [pause for pause in found if pause.kind != _LARGE]
        for large in found:
            cursor = b"0" if large.kind == _LARGE else b""
            while cursor:
                where = _where(incoming)
                cursor, replies = await self._queue.library.call("pause_scan", *where, large.run_id, cursor)
                yield [_parse_found(reply) for reply in replies]
                cursor = b"" if cursor == b"0" else cursor

    async def _resume(self, incoming: Incoming, waits: list[Found]) -> list[str]:
        """Each call carries the event twice, so that many runs are resumed a few at a time."""
        now, body = clock.now_ms(), incoming.entry.body
        at_once = max(1, min(_MOST_AT_ONCE, _BYTES_AT_ONCE // (2 * len(body))))
        replies: list[Reply] = []
        for part in _parts(waits, at_once):
            calls = [
                (
                    *(now, found.pause_id, body),
                    *(encode_records([_matched_record(found, incoming, now)]), incoming.stream_id),
                )
                for found in part
            ]
            replies += await self._queue.library.call_each("resume_pause", calls)
        return [reply.decode() for reply in replies if reply]

    async def _cancel_all(self, incoming: Incoming, rules: list[Found]) -> list[str]:
        cancelled: list[str] = []
        for part in _parts(rules, _CANCELS_AT_ONCE):
            ended = await asyncio.gather(*(self._cancel(found, incoming) for found in part))
            cancelled += [found.run_id for found, has_ended in zip(part, ended, strict=True) if has_ended]
        return cancelled

    async def _cancel(self, found: Found, incoming: Incoming) -> bool:
        reason = f"event {incoming.entry.internal_id}"
        if found.expression:
            reason += f" matched {found.expression}"
        return await self._ender.cancel(found.run_id, reason, entry=incoming.stream_id)

    async def _resume_invoke(self, incoming: Incoming) -> list[str]:
        """Hand a finished run's result to the step that invoked it (spec 01, 11.3)."""
        pause_id = incoming.entry.context.correlation_id
        run_id, _, step_id = pause_id.partition(".")
        data = _finished_decoder.decode(incoming.entry.body).data
        memo, status = _invoke_memo(data)
        now = clock.now_ms()
        info = {"invoked_run_id": data.run_id, "found_event_id": incoming.entry.internal_id}
        record = StepRecorded(
            run_id, step_id, 0, "InvokeFunction", status, ended_at=now, info=msgspec.json.encode(info),
            output=_inner(memo, b'{"data":'), error=_inner(memo, b'{"error":'),
        )  # fmt: skip
        resumed = await self._queue.library.call(
            "resume_pause", now, pause_id, memo, encode_records([record]), incoming.stream_id
        )
        return [resumed.decode()] if resumed else []


def path_requests(batch: list[Incoming], keys: Keys) -> list[tuple[str, str]]:
    """Commands that ask for the indexed paths of the pauses on each event name of a batch."""
    return [("HKEYS", f"{keys.prefix}:pn:{env_id}:{name}") for env_id, name in _names(batch)]


def _names(batch: list[Incoming]) -> list[_Name]:
    return list(dict.fromkeys(map(_name, batch)))


def _name(incoming: Incoming) -> _Name:
    return incoming.entry.env_id, incoming.entry.name


def _outcome_of(effects: dict[str, bytes]) -> PauseOutcome:
    return PauseOutcome(
        resumed=[run_id.decode() for effect, run_id in effects.items() if effect.startswith("r:")],
        cancelled=[effect.removeprefix("c:") for effect in effects if effect.startswith("c:")],
    )


def _parts(found: list[Found], size: int) -> Iterator[list[Found]]:
    for start in range(0, len(found), size):
        yield found[start : start + size]


def _invoke_memo(data: _FinishedData) -> tuple[bytes, str]:
    error = bytes(data.error)
    if error and error != b"null":
        return memos.error_memo(error), "Failed"
    if data.link.get("status") == "Cancelled":
        return memos.invoke_cancelled_memo(), "Failed"
    return memos.data_memo(bytes(data.result)), "Completed"


def _inner(memo: bytes, prefix: bytes) -> bytes:
    return memo[len(prefix) : -1] if memo.startswith(prefix) else b""


def _matched_record(found: Found, incoming: Incoming, now: int) -> StepRecorded:
    step_id = found.pause_id.partition(".")[2]
    info = msgspec.json.encode({"found_event_id": incoming.entry.internal_id})
    return StepRecorded(
        found.run_id,
        step_id,
        0,
        "WaitForEvent",
        "Completed",
        ended_at=now,
        output=incoming.entry.body,
        info=info,
    )


def _is_answer(incoming: Incoming) -> bool:
    """Whether the event tells an invoke how its run ended."""
    return incoming.entry.name == FINISHED and bool(incoming.entry.context.correlation_id)


def _where(incoming: Incoming) -> tuple[Argument, ...]:
    """The first arguments of `pause_find` and `pause_scan`."""
    return incoming.entry.env_id, incoming.entry.name, incoming.stream_id, clock.now_ms()


def _buckets(incoming: Incoming, paths: list[bytes]) -> list[str]:
    return [bucket for path in paths if (bucket := _bucket(incoming, path)) is not None]


def _bucket(incoming: Incoming, path: bytes) -> str | None:
    """The bucket that pauses indexed on this path would be in for this event."""
    if path == b"*":
        return "*"
    keys = tuple(msgspec.json.decode(path, type=list[str]))
    value = expressions.lookup(incoming.event, keys)
    return expressions.index_key(keys, value) or None


def _parse_found(reply: list[Reply]) -> Found:
    pause_id, kind, run_id, expression, covered, events = reply
    return Found(
        pause_id.decode(), kind.decode(), run_id.decode(), expression.decode(), covered == b"1", events
    )


def _matches(found: Found, incoming: Incoming) -> bool:
    if found.is_covered or not found.expression:
        return True
    if not found.events:
        return False
    program = expressions.compile_expression(found.expression)
    event = msgspec.json.decode(found.events)[0]
    return expressions.matches(program, event, incoming.event)
