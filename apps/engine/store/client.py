"""A small pipelining Redis client for the engine's hot paths.

Commands issued in the same turn of the event loop leave in one write, and replies resolve futures in
order: about 3 us an operation where redis-py's asyncio client takes 60 to 150 (docs/benchmarks.md).
Everything off the hot path uses redis-py. One connection per client; a lost connection fails the
commands in flight with `RedisUnavailable` and is opened again by the next command.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import hiredis

Argument = str | bytes | int | float
Reply = Any  # a RESP value: bytes, int, None or a nested list of these

_CONNECT_TIMEOUT_SECONDS = 5.0
# A server that vanished without a word is noticed within about 25 s, also by blocking reads.
_KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 25_000}


class RedisUnavailable(Exception):
    """The server is away or refuses all commands for now; after a lost connection the command may have
    been carried out all the same."""


class RedisError(Exception):
    """The server refused a command; the text is the server's."""


# A server that starts, fails over or is full: the same command may be carried out a moment later.
_NOT_NOW = ("LOADING ", "READONLY ", "MASTERDOWN ", "CLUSTERDOWN ", "TRYAGAIN ", "BUSY ", "OOM ")


def _refusal(text: str) -> Exception:
    return RedisUnavailable(text) if text.startswith(_NOT_NOW) else RedisError(text)


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(replyError=_refusal)
        self._waiting: deque[asyncio.Future[Reply]] = deque()
        self._out: list[bytes] = []
        self._lost: Exception | None = None

    @property
    def is_open(self) -> bool:
        return self._lost is None and self.transport is not None and not self.transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's does not inherit from it

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            future = self._waiting.popleft()
            if future.done():
                continue
            if isinstance(reply, Exception):
                future.set_exception(reply)
            else:
                future.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = RedisUnavailable(str(exc) if exc else "connection closed")
        for future in self._waiting:
            if not future.done():
                future.set_exception(RedisUnavailable(str(self._lost)))
        self._waiting.clear()

    def send(self, args: Sequence[Argument]) -> asyncio.Future[Reply]:
        future: asyncio.Future[Reply] = self._loop.create_future()
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(hiredis.pack_command(tuple(args)))  # type: ignore[arg-type]  # the stub misses unions
        self._waiting.append(future)
        return future

    def _flush(self) -> None:
        out, self._out = self._out, []
        if self.is_open and self.transport is not None:
            self.transport.write(b"".join(out))
        else:
            self.connection_lost(self._lost)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):  # not every system has all of them
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class RedisClient:
    """One pipelined connection to one server, for use from one event loop."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._connection: _Connection | None = None
        self._opening: asyncio.Lock | None = None

    @classmethod
    async def connect(cls, url: str) -> "RedisClient":
        client = cls(url)
        await client._open()
        return client

    def clone(self) -> "RedisClient":
        """A second connection to the same server, for blocking commands."""
        return RedisClient(self._url.geturl())

    async def execute(self, *args: Argument) -> Reply:
        """Send one command. Raises RedisUnavailable, RedisError."""
        connection = self._connection
        if connection is None or not connection.is_open:
            connection = await self._open()
        return await connection.send(args)

    async def pipeline(self, commands: Sequence[Sequence[Argument]]) -> list[Reply]:
        """Send commands in one write; the first error among the replies is raised once all are in."""
        connection = self._connection
        if connection is None or not connection.is_open:
            connection = await self._open()
        futures = [connection.send(command) for command in commands]
        replies = await asyncio.gather(*futures, return_exceptions=True)
        for reply in replies:
            if isinstance(reply, BaseException):
                raise reply
        return replies

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _open(self) -> _Connection:
        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:
            if self._connection is not None and self._connection.is_open:
                return self._connection
            try:
                # Not wait_for, which swallows a cancellation that comes as the connection is there.
                async with asyncio.timeout(_CONNECT_TIMEOUT_SECONDS):
                    self._connection = await self._greeted()
            except (OSError, TimeoutError) as exc:
                raise RedisUnavailable(f"cannot connect to {self._url.hostname}: {exc}") from exc
            return self._connection

    async def _greeted(self) -> _Connection:
        """A new connection that may be used: nobody must get hold of it before it is on its database."""
        connection = await self._dial()
        try:
            await self._greet(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _dial(self) -> _Connection:
        loop = asyncio.get_running_loop()
        if self._url.scheme == "unix":
            _, protocol = await loop.create_unix_connection(_Connection, self._url.path)
            return protocol
        transport, protocol = await loop.create_connection(
            _Connection,
            self._url.hostname or "127.0.0.1",
            self._url.port or 6379,
            ssl=self._url.scheme == "rediss" or None,
        )
        _keep_alive(transport.get_extra_info("socket"))
        return protocol

    async def _greet(self, connection: _Connection) -> None:
        if self._url.password:
            user = [unquote(self._url.username)] if self._url.username else []
            await connection.send(["AUTH", *user, unquote(self._url.password)])
        database = self._database()
        if database:
            await connection.send(["SELECT", database])

    def _database(self) -> int:
        if self._url.scheme == "unix":
            fields = dict(pair.split("=", 1) for pair in self._url.query.split("&") if "=" in pair)
            return int(fields.get("db", "0"))
        return int(self._url.path.strip("/") or 0)
