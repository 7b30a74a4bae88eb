"""The Lua library: one Redis function library out of the files in lua/, named by its content.

The names of its functions end in the version, so that two releases can share a server; a server that
has lost the library (a new one, or after FUNCTION FLUSH) gets it again on first use.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from apps.engine.store.client import Argument, RedisClient, RedisError, Reply

_FOLDER = Path(__file__).parent / "lua"


@cache
def library_source() -> tuple[str, str]:
    """(version suffix, source of the library)."""
    body = "\n".join(path.read_text() for path in sorted(_FOLDER.glob("*.lua")))
    version = "_" + hashlib.sha256(body.encode()).hexdigest()[:10]
    return version, f"#!lua name=stepwell{version}\nlocal VERSION = '{version}'\n{body}"


class LuaLibrary:
    """Calls of the library's functions on one shard."""

    def __init__(self, client: RedisClient, prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self._version, self._source = library_source()

    async def load(self) -> None:
        await self._client.execute("FUNCTION", "LOAD", "REPLACE", self._source)

    async def call(self, name: str, *args: Argument) -> Reply:
        """Raises RedisUnavailable, and RedisError where a script fails."""
        try:
            return await self._client.execute(*self.command(name, *args))
        except RedisError as exc:
            await self._load_if_missing(exc)
            return await self._client.execute(*self.command(name, *args))

    async def call_each(
        self, name: str, arguments: Iterable[Sequence[Argument]], then: Sequence[Sequence[Argument]] = ()
    ) -> list[Reply]:
        """One call for each of `arguments` and then other commands, in one write; the replies in their order.

        Raises as `call`, and then all of them may have been sent twice.
        """
        commands = [*(self.command(name, *args) for args in arguments), *then]
        try:
            return await self._client.pipeline(commands)
        except RedisError as exc:
            await self._load_if_missing(exc)
            return await self._client.pipeline(commands)

    async def _load_if_missing(self, exc: RedisError) -> None:
        if "Function not found" not in str(exc):
            raise exc
        await self.load()

    def command(self, name: str, *args: Argument) -> tuple[Argument, ...]:
        """The command itself, to be sent in a pipeline."""
        return ("FCALL", name + self._version, 1, self._prefix, *args)
