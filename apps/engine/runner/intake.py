"""The intake of the runner: reads the event stream ahead into fair lanes and hands out batches.

Reading ahead is what lets a tenant's first event pass another's backlog. Entries stay pending in the
stream until the runner acknowledges them, in whatever order, so a crash loses none of what is held here.

Memory: a lane keeps the bodies of its entries while they take no more than what is still free of the byte
budget; those beyond are known by their stream id and read again when their turn comes. So one lane holds
at most half of the budget, and an idle lane always finds room. Nothing is read while `entries` are held.

An entry of an idle lane goes aside (aside.py) while there is a batch in hand, or a rest.
"""

import asyncio
import time
from collections.abc import Container, Sequence
from contextlib import suppress

import msgspec

from apps.engine.event_stream import EventEntry
from apps.engine.keys import RUNNER_GROUP, Keys
from apps.engine.protocol.events import RESERVED_PREFIX
from apps.engine.runner.aside import Aside, AsideLimits, Held
from apps.engine.runner.incoming import Incoming
from apps.engine.runner.lanes import FairLanes, Path
from apps.engine.runner.ownership import Ownership
from apps.engine.runner.pace import Pace, PaceLimits
from apps.engine.runner.routing import Routes
from apps.engine.services import unless_stopped
from apps.engine.store.client import Argument, RedisClient, Reply
from apps.engine.store.functions import FunctionCache

CONSUMER = "runner"  # ownership makes it the only one, so a successor finds what its predecessor left
_BLOCK_MS = 2_000
_FULL_SECONDS = 1.0
_STRAY_SECONDS = 5.0
# What an entry takes beside its body, about.
_ENTRY_BYTES = 1_000


class Limits(msgspec.Struct, frozen=True):
    """`body_bytes` of bodies and `entries` held; entries in a `read`, and their bytes, about."""

    body_bytes: int = 32 * 1024 * 1024
    entries: int = 500_000
    read: int = 250
    read_bytes: int = 4 * 1024 * 1024
    pace: PaceLimits = PaceLimits()
    aside: AsideLimits = AsideLimits()


LIMITS = Limits()


class Intake:
    """Belongs to one tenure of the runner: one `read` task, one caller of `take`, one of `take_aside`.

    `reader` is a connection of its own, since it blocks. `functions_version` is no older than the functions
    were when the last entry that was read was accepted.
    """

    def __init__(
        self,
        client: RedisClient,
        reader: RedisClient,
        keys: Keys,
        functions: FunctionCache,
        ownership: Ownership,
        limits: Limits = LIMITS,
    ) -> None:
        self._client = client
        self._reader = reader
        self._keys = keys
        self._functions = functions
        self._routes = Routes(functions)
        self._ownership = ownership
        self._limits = limits
        self._lanes: FairLanes[Held] = FairLanes(_weigh)
        self._pace = Pace(limits.pace)
        self._in_hand: list[Held] = []
        self._handed_at = 0.0
        self._lanes_in_hand: set[Path] = set()
        self._rests_until = 0.0
        self._is_resting = False
        self._aside = Aside(limits.aside)
        self._admits_aside = True
        self._repeats_until = (0, 0)
        self.functions_version = self._followed_version = functions.version
        self._next_count = min(100, limits.read)
        self._has_entries = asyncio.Event()
        self._has_room = asyncio.Event()

    @property
    def held(self) -> int:
        """Entries that were read and not handed out."""
        return len(self._lanes) + len(self._aside)

    @property
    def held_bytes(self) -> int:
        return self._lanes.weight

    async def read(self, stop: asyncio.Event) -> None:
        """Read ahead, first what an earlier tenure left pending, until `stop` or the lease is lost."""
        try:
            self._routes.update(may_part=True)
            await self._recover(stop, known=())
            looked_at = time.monotonic()
            while self._goes_on(stop):
                self._hold(await self._read_new(stop))
                if time.monotonic() - looked_at > _STRAY_SECONDS:
                    await self._recover_strays(stop)
                    looked_at = time.monotonic()
                await self._room(stop)
        finally:
            self._has_entries.set()
            self._aside.wake()

    async def take(self, work_ahead: int = 0) -> tuple[list[Incoming], bool]:
        """The next batch, and whether an earlier tenure may have handled some of it.

        Waits for an entry; may be empty. Whoever asks for the next batch is done with the last one, of
        which none of the runs has less than `work_ahead` items before it.
        """
        self._done_with_last(work_ahead)
        if self._lanes:
            await self._rest()
        if not self._lanes:
            self._has_entries.clear()
            await self._has_entries.wait()
        await self._follow_functions()
        self._handed_at = time.monotonic()
        taken = [self._lanes.take() for _ in range(min(self._pace.size, len(self._lanes)))]
        self._lanes_in_hand = {path for path, _ in taken}
        self._in_hand = [held for _, held in taken]
        self._has_room.set()
        is_repeat = any(_place(held) <= self._repeats_until for held in self._in_hand)
        return await self._with_bodies(self._in_hand), is_repeat

    def _done_with_last(self, work_ahead: int) -> None:
        if self._in_hand:
            now = time.monotonic()
            self._pace.learn(len(self._in_hand), now - self._handed_at, work_ahead)
            self._rests_until = now + self._pace.rest
        self._in_hand, self._lanes_in_hand = [], set()

    async def take_aside(self) -> list[Incoming]:
        """Entries of idle lanes, to be handled beside the batch; whoever took them says `done_aside`.

        Waits for one; may be empty.
        """
        return await self._aside.take()

    def close_aside(self) -> None:
        """Nobody takes aside any more: the other taker goes on, to find out."""
        self._aside.close()
        self._has_entries.set()

    def done_aside(self) -> None:
        """The lanes of what was taken aside go on in their turn."""
        for path, held in self._aside.done():
            self._lanes.add(path, held)
        if self._lanes:
            self._has_entries.set()

    async def _rest(self) -> None:
        left = self._rests_until - time.monotonic()
        if left > 0:
            self._is_resting = True
            await asyncio.sleep(left)
            self._is_resting = False

    def _goes_on(self, stop: asyncio.Event) -> bool:
        return self._ownership.is_held and not stop.is_set()

    async def _follow_functions(self) -> None:
        """Lanes that join keep their order only while none of their entries is aside."""
        if (version := self.functions_version) != self._followed_version:
            await self._functions.refresh(version)
            self._followed_version = version
        if self._routes.is_current:
            return
        self._admits_aside = False
        await self._aside.until_idle()
        self._admits_aside = True
        if self._routes.update(may_part=not self._lanes):
            self._lanes.regroup(self._regrouped, _place)

    def _regrouped(self, path: Path) -> Path:
        account_id, env_id, lane = path
        return account_id, env_id, self._routes.lane(env_id, lane)

    async def _recover(self, stop: asyncio.Event, known: Container[str]) -> None:
        """Hold the pending entries, all but the `known` ones."""
        after = "0"
        while self._goes_on(stop):
            entries = await self._group_read(stop, self._next_count, after)
            if not entries:
                return
            after = entries[-1][0].decode()
            found = await self._existing([entry for entry in entries if entry[0].decode() not in known])
            if found:
                self._repeats_until = max(self._repeats_until, _place(found[-1]))
            self._hold(found)
            await self._room(stop)

    async def _recover_strays(self, stop: asyncio.Event) -> None:
        """Hold what a predecessor was still given after this tenure had looked for its pending entries."""
        # What is known is told before the server is asked: what is acknowledged meanwhile is no stray.
        known = self.held + len(self._in_hand)
        pending = await self._reader.execute("XPENDING", self._keys.events, RUNNER_GROUP)
        if int(pending[0]) > known:
            await self._recover(stop, {_id(held) for held in (*self._lanes, *self._in_hand, *self._aside)})

    async def _read_new(self, stop: asyncio.Event) -> list[Incoming]:
        found = await self._existing(await self._group_read(stop, self._next_count, ">"))
        if found:
            average = sum(len(incoming.entry.body) for incoming in found) // len(found) + 1
            self._next_count = max(1, min(self._limits.read, self._limits.read_bytes // average))
        return found

    async def _group_read(self, stop: asyncio.Event, count: int, start: str) -> list[Reply]:
        """The version of the functions is asked for after the entries: it is no older than what they need."""
        reading: list[Argument] = [
            "XREADGROUP", "GROUP", RUNNER_GROUP, CONSUMER, "COUNT", count,
            "BLOCK", _BLOCK_MS, "STREAMS", self._keys.events, start,
        ]  # fmt: skip
        replies: Reply = await unless_stopped(
            stop, self._reader.pipeline([reading, ("GET", self._keys.functions_version)])
        )
        if replies is None:
            return []
        reply, version = replies
        self.functions_version = int(version or 0)
        return list(reply[0][1]) if reply else []

    async def _existing(self, entries: Sequence[Reply]) -> list[Incoming]:
        """The entries without those that were deleted, which are acknowledged."""
        await self._pass_over([stream_id for stream_id, fields in entries if not fields])
        return [Incoming(stream_id, fields) for stream_id, fields in entries if fields]

    async def _pass_over(self, stream_ids: Sequence[Argument]) -> None:
        if stream_ids:
            await self._client.execute("XACK", self._keys.events, RUNNER_GROUP, *stream_ids)

    def _hold(self, found: Sequence[Incoming]) -> None:
        for incoming in found:
            path = self._routes.path(incoming.entry)
            if self._aside.is_busy(path):
                self._aside.keep(path, incoming.stream_id)
            elif self._goes_aside(path, incoming):
                self._aside.add(path, incoming)
            else:
                free = self._limits.body_bytes - self._lanes.weight
                has_room = self._lanes.weight_of(path) + _weigh(incoming) <= free
                self._lanes.add(path, incoming if has_room else incoming.stream_id)
        if self._lanes:
            self._has_entries.set()

    def _goes_aside(self, path: Path, incoming: Incoming) -> bool:
        """Only an entry of an idle lane that has to wait otherwise, for the batch in hand or for a rest, and
        that no newer function brings into one lane with others."""
        return (
            self._admits_aside
            and self._routes.is_current
            and self._followed_version == self.functions_version
            and (self._is_resting or bool(self._in_hand))
            and path not in self._lanes_in_hand
            and path not in self._lanes
            and not _is_echo(incoming.entry)
            and _place(incoming) > self._repeats_until
            and self._aside.admits(path)
        )

    async def _room(self, stop: asyncio.Event) -> None:
        """Wait while too much is held."""
        while self.held >= self._limits.entries and self._goes_on(stop):
            self._has_room.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._has_room.wait(), _FULL_SECONDS)

    async def _with_bodies(self, batch: Sequence[Held]) -> list[Incoming]:
        """The batch with those entries read again of which only the id was held."""
        ids = [held for held in batch if isinstance(held, str)]
        if not ids:
            return [held for held in batch if isinstance(held, Incoming)]
        replies = await self._client.pipeline([("XRANGE", self._keys.events, one, one) for one in ids])
        bodies = {one: Incoming(*reply[0]) for one, reply in zip(ids, replies, strict=True) if reply}
        await self._pass_over([one for one in ids if one not in bodies])
        found = [bodies.get(held) if isinstance(held, str) else held for held in batch]
        return [incoming for incoming in found if incoming is not None]


def _is_echo(entry: EventEntry) -> bool:
    """Whether the engine tells of a run that has ended, which nobody but other functions may wait for."""
    context = entry.context
    return entry.name.startswith(RESERVED_PREFIX) and not (context.correlation_id or context.function_id)


def _weigh(held: Held) -> int:
    return 0 if isinstance(held, str) else len(held.entry.body) + _ENTRY_BYTES


def _id(held: Held) -> str:
    return held if isinstance(held, str) else held.stream_id


def _place(held: Held) -> tuple[int, int]:
    """Where an entry stands in the stream."""
    milliseconds, _, sequence = _id(held).partition("-")
    return int(milliseconds), int(sequence)
