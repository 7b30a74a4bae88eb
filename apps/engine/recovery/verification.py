"""Looks whether the queue is as it must be (85_verify.lua), in pages, so that nothing waits for it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from apps.engine import clock
from apps.engine.keys import Keys
from apps.engine.store.client import Argument, RedisClient
from apps.engine.store.library import LuaLibrary

# What the sweep will put right; it is told to people, and not repaired here.
COUNTED_ONLY = frozenset({"lease_overdue"})

_PAGE = 500
# Between two calls others have the server for as long as one call holds it.
_PAUSE_SECONDS = 0.005

# Keys whose members are checked one by one: start of the name, subject, and whether it is a sorted set.
_COLLECTIONS = (
    ("live:", "run", True),
    ("r:f:", "ready", True),
    ("r:k:", "ready", True),
    ("rs:k:", "ready", True),
    ("h:", "slot", False),
)
_LEAVES = ("r:k:", "rs:k:")
_LISTS = (("timers", "timer"), ("leases", "lease"), ("px", "pause"), ("rt", "timeout"))


class Page(NamedTuple):
    """Members to be checked as `subject`, and the function or key that they belong to."""

    subject: str
    scope: str
    members: Sequence[Argument]


class Verifier:
    """Checks pages; with `repair`, what is found is put right and counted in the queue's own counters."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._prefix = f"{keys.prefix}:"
        self._functions = keys.functions
        self._library = LuaLibrary(client, keys.prefix)

    async def check(self, page: Page, *, repair: bool) -> Counter[str]:
        """How many violations of each kind the page has."""
        found: Counter[str] = Counter()
        members = page.members
        while members:
            now = clock.now_ms()
            reply = await self._library.call("verify", now, int(repair), page.subject, page.scope, *members)
            found.update({kind.decode(): count for kind, count in _pairs(reply[1:])})
            members = members[reply[0] :]
            await asyncio.sleep(_PAUSE_SECONDS)
        return found

    async def check_everything(self, *, repair: bool) -> Counter[str]:
        found: Counter[str] = Counter()
        for pages in (self.functions(), self.lists(), self.all_keys()):
            async for page in pages:
                found += await self.check(page, repair=repair)
        return found

    async def functions(self) -> AsyncIterator[Page]:
        """The live runs, ready items, slots and places in the router of every function."""
        async for names in self._scan("HSCAN", self._functions):
            for function in names[::2]:
                async for page in self._function(function.decode()):
                    yield page

    async def lists(self) -> AsyncIterator[Page]:
        """Timers, leases, pauses and run timeouts."""
        for name, subject in _LISTS:
            async for page in self._members("ZSCAN", name, subject, ""):
                yield page

    async def all_keys(self) -> AsyncIterator[Page]:
        """Every key of the shard, so that nothing is overlooked which nothing else leads to."""
        start = len(self._prefix)
        async for keys in self._scan("SCAN", "", "MATCH", f"{_escaped(self._prefix)}*"):
            names = [key.decode()[start:] for key in keys]
            yield Page("key", "", names)
            for name in names:
                async for page in self._collection(name):
                    yield page

    async def _function(self, function: str) -> AsyncIterator[Page]:
        async for page in self._members("ZSCAN", f"live:{function}", "run", function):
            yield page
        async for page in self._members("ZSCAN", f"r:f:{function}", "ready", f"r:f:{function}"):
            yield page
        async for page in self._members("SSCAN", f"h:f:{function}", "slot", f"f:{function}"):
            yield page
        yield Page("route", "", [f"f:{function}"])

    async def _collection(self, name: str) -> AsyncIterator[Page]:
        if name.startswith(_LEAVES):
            yield Page("leaf", "", [name.partition(":")[2]])
        for start, subject, is_sorted in _COLLECTIONS:
            if name.startswith(start):
                scope = name if subject == "ready" else name.partition(":")[2]
                command = "ZSCAN" if is_sorted else "SSCAN"
                async for page in self._members(command, name, subject, scope):
                    yield page

    async def _members(self, command: str, name: str, subject: str, scope: str) -> AsyncIterator[Page]:
        step = 2 if command == "ZSCAN" else 1
        async for found in self._scan(command, f"{self._prefix}{name}"):
            yield Page(subject, scope, found[::step])

    async def _scan(self, command: str, key: str, *options: Argument) -> AsyncIterator[list[bytes]]:
        cursor: Argument = b"0"
        while True:
            where: list[Argument] = [key, cursor] if key else [cursor]
            cursor, found = await self._client.execute(command, *where, *options, "COUNT", _PAGE)
            if found:
                yield found
            if cursor == b"0":
                return


def _pairs(flat: list[bytes | int]) -> list[tuple[bytes, int]]:
    return list(zip(flat[::2], flat[1::2], strict=True))  # type: ignore[arg-type]  # kind, count, ...


def _escaped(prefix: str) -> str:
    """The prefix as a pattern of SCAN."""
    return "".join(f"\\{character}" if character in "[]{}*?\\" else character for character in prefix)
