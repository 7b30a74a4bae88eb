"""The two streams as the writer's consumer group reads them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from apps.engine.keys import HISTORY_GROUP, Keys
from apps.engine.store.client import RedisClient, RedisError, Reply

READ_COUNT = 500  # entries of each stream in one read
CLAIM_IDLE_MS = 30_000  # a consumer that holds an entry for longer is taken for dead
DEAD_LETTERS_KEPT = 10_000

Fields = dict[bytes, bytes]


class Entry(NamedTuple):
    """`fields` is None when the entry was trimmed while it was pending."""

    stream: str
    id: str
    fields: Fields | None


class HistoryStreams:
    """Reads on `blocking`, which waits; everything else goes through `client`."""

    def __init__(self, keys: Keys, consumer: str, client: RedisClient, blocking: RedisClient) -> None:
        self.keys = keys
        self._consumer = consumer
        self._client = client
        self._blocking = blocking
        self._names = (keys.history, keys.events)

    async def create_groups(self) -> None:
        """Idempotent; a new group starts with the oldest entry."""
        for name in self._names:
            try:
                await self._client.execute("XGROUP", "CREATE", name, HISTORY_GROUP, "0", "MKSTREAM")
            except RedisError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

    async def read_new(self, block_ms: int) -> list[Entry]:
        """Entries that nobody has read; waits up to `block_ms` for the first."""
        command = self._read_command("BLOCK", block_ms)
        return _parse_read(await self._blocking.execute(*command, *self._names, ">", ">"))

    async def read_own_pending(self) -> list[Entry]:
        """The first of the entries that this consumer was given and has not acknowledged."""
        return _parse_read(await self._client.execute(*self._read_command(), *self._names, "0", "0"))

    async def claim_abandoned(self) -> list[Entry]:
        """Take over some of what consumers that died were given."""
        entries: list[Entry] = []
        for name in self._names:
            holder = (name, HISTORY_GROUP, self._consumer)
            reply = await self._client.execute("XAUTOCLAIM", *holder, CLAIM_IDLE_MS, "0", "COUNT", READ_COUNT)
            entries += _parse_entries(name, reply[1])
        return entries

    async def acknowledge(self, entries: Iterable[Entry]) -> None:
        ids: dict[str, list[str]] = {}
        for entry in entries:
            ids.setdefault(entry.stream, []).append(entry.id)
        await self._client.pipeline([["XACK", name, HISTORY_GROUP, *given] for name, given in ids.items()])

    async def put_aside(self, entry: Entry, reason: str) -> None:
        """Keep an entry that cannot be stored in the dead letter stream, with its reason."""
        command: list[str | bytes | int] = ["XADD", dead_letters(self.keys), "MAXLEN", "~", DEAD_LETTERS_KEPT]
        command += ["*", "stream", entry.stream, "id", entry.id, "reason", reason]
        for name, value in (entry.fields or {}).items():
            command += [b"field:" + name, value]
        await self._client.execute(*command)

    def _read_command(self, *options: str | int) -> list[str | int]:
        group = ["XREADGROUP", "GROUP", HISTORY_GROUP, self._consumer]
        return [*group, "COUNT", READ_COUNT, *options, "STREAMS"]


def dead_letters(keys: Keys) -> str:
    return f"{keys.history}:dead"


def _parse_read(reply: Reply) -> list[Entry]:
    entries: list[Entry] = []
    for name, items in reply or ():
        entries += _parse_entries(name.decode(), items)
    return entries


def _parse_entries(stream: str, items: Sequence[Reply]) -> list[Entry]:
    return [Entry(stream, item[0].decode(), _fields(item[1])) for item in items]


def _fields(flat: Sequence[bytes] | None) -> Fields | None:
    return None if flat is None else dict(zip(flat[::2], flat[1::2], strict=True))
