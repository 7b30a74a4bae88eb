"""The pipelining client against a server of the test's own that answers what it is told to."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import hiredis
import pytest

from apps.engine.store.client import RedisClient, RedisError, RedisUnavailable

Answer = Callable[[list[bytes]], bytes]


class ScriptedServer:
    """Speaks RESP; `answer` maps a command to the raw reply. An empty reply closes the connection."""

    def __init__(self) -> None:
        self.answer: Answer = lambda command: b"+OK\r\n"
        self.commands: list[list[bytes]] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        for writer in self._writers:
            writer.close()
            await writer.wait_closed()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        parser = hiredis.Reader()
        while data := await reader.read(65536):
            parser.feed(data)
            while (command := parser.gets()) is not False:
                self.commands.append(command)
                await asyncio.sleep(0)  # lets a client that does not wait for the greeting show itself
                reply = self.answer(command)
                if not reply:
                    writer.close()
                    return
                writer.write(reply)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer()
    await server.start()
    yield server
    await server.stop()


async def test_nothing_is_sent_before_the_greeting_is_done(server: ScriptedServer) -> None:
    client = RedisClient(f"redis://user:se%20cret@127.0.0.1:{server.port}/3")
    await asyncio.gather(client.execute("GET", "a"), client.execute("GET", "b"))
    await client.close()
    assert server.commands[:2] == [[b"AUTH", b"user", b"se cret"], [b"SELECT", b"3"]]
    assert sorted(server.commands[2:]) == [[b"GET", b"a"], [b"GET", b"b"]]


async def test_a_refused_password_leaves_no_connection(server: ScriptedServer) -> None:
    server.answer = lambda command: b"-WRONGPASS invalid username-password pair\r\n"
    client = RedisClient(f"redis://:wrong@127.0.0.1:{server.port}/0")
    for _ in range(2):
        with pytest.raises(RedisError, match="WRONGPASS"):
            await client.execute("GET", "a")
    await client.close()
    assert [command[0] for command in server.commands] == [b"AUTH", b"AUTH"]


@pytest.mark.parametrize("code", ["LOADING", "MASTERDOWN", "READONLY", "BUSY", "OOM"])
async def test_a_server_that_cannot_serve_now_counts_as_absent(server: ScriptedServer, code: str) -> None:
    server.answer = lambda command: f"-{code} not now\r\n".encode()
    client = RedisClient(f"redis://127.0.0.1:{server.port}/0")
    with pytest.raises(RedisUnavailable, match=code):
        await client.execute("GET", "a")
    await client.close()


async def test_a_refused_command_does_not_spoil_its_pipeline(server: ScriptedServer) -> None:
    server.answer = lambda command: b"-ERR no\r\n" if command[1] == b"b" else b":1\r\n"
    client = RedisClient(f"redis://127.0.0.1:{server.port}/0")
    with pytest.raises(RedisError, match="ERR no"):
        await client.pipeline([("GET", "a"), ("GET", "b"), ("GET", "c")])
    assert await client.execute("GET", "c") == 1
    await client.close()


async def test_commands_in_flight_fail_when_the_connection_ends(server: ScriptedServer) -> None:
    server.answer = lambda command: b"" if command[1] == b"b" else b":1\r\n"
    client = RedisClient(f"redis://127.0.0.1:{server.port}/0")
    replies = await asyncio.gather(
        *(client.execute("GET", key) for key in ("a", "b", "c")), return_exceptions=True
    )
    assert replies[0] == 1
    assert [type(reply) for reply in replies[1:]] == [RedisUnavailable, RedisUnavailable]
    server.answer = lambda command: b":2\r\n"
    assert await client.execute("GET", "a") == 2
    await client.close()


async def test_a_given_up_command_does_not_shift_the_replies(server: ScriptedServer) -> None:
    client = RedisClient(f"redis://127.0.0.1:{server.port}/0")
    server.answer = lambda command: b"$%d\r\n%b\r\n" % (len(command[1]), command[1])
    assert await client.execute("GET", "a") == b"a"
    given_up = asyncio.ensure_future(client.execute("GET", "lost"))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await client.execute("GET", "kept") == b"kept"
    await client.close()


async def test_a_peer_that_vanishes_is_noticed(server: ScriptedServer) -> None:
    client = await RedisClient.connect(f"redis://127.0.0.1:{server.port}/0")
    await client.execute("GET", "a")
    connection = client._connection
    assert connection is not None
    assert connection.transport is not None
    sock = connection.transport.get_extra_info("socket")
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 25_000
    await client.close()


async def test_an_absent_server_is_said_so() -> None:
    client = RedisClient("redis://127.0.0.1:1/0")
    with pytest.raises(RedisUnavailable, match="cannot connect"):
        await client.execute("GET", "a")
