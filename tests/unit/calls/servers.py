"""Servers that do exactly what a test says, byte by byte, and resolvers that answer from a list."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

from apps.engine.calls.addresses import AddressPolicy

ANYWHERE = AddressPolicy(allow_private=True)
PUBLIC_ONLY = AddressPolicy(allow_private=False)


class OnlyThisServer(AddressPolicy):
    """The public Internet, as far as a test can have it: 127.0.0.1 counts as public."""

    def __init__(self) -> None:
        super().__init__(allow_private=False)

    def require_address(self, address: str) -> None:
        if address != "127.0.0.1":
            super().require_address(address)


class Received(msgspec.Struct):
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


Respond = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """What a server got; `connections` counts those it accepted."""

    def __init__(self, respond: Respond) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.port = 0
        self._respond = respond
        self._writers: list[asyncio.StreamWriter] = []

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        self._writers.append(writer)
        try:
            while not writer.is_closing():
                received = await _receive(reader, number)
                self.requests.append(received)
                await self._respond(received, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def close_connections(self) -> None:
        for writer in self._writers:
            writer.close()


async def _receive(reader: asyncio.StreamReader, connection: int) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    method, target, _ = head.split("\r\n", 1)[0].split(" ")
    lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
    headers = {name.lower(): value for name, _, value in lines}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body, connection)


@asynccontextmanager
async def serving(respond: Respond, host: str = "127.0.0.1") -> AsyncIterator[Server]:
    server = Server(respond)
    listener = await asyncio.start_server(server.serve, host, 0, limit=2**24)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        server.close_connections()
        await listener.wait_closed()


def always(*parts: bytes) -> Respond:
    """Answers each request with these bytes, written apart from each other."""

    async def respond(received: Received, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)

    return respond


def closing(*parts: bytes) -> Respond:
    """Answers with these bytes and closes the connection."""
    answer = always(*parts)

    async def respond(received: Received, writer: asyncio.StreamWriter) -> None:
        await answer(received, writer)
        writer.close()

    return respond


def http(body: bytes = b"", status: int = 200, **headers: str) -> bytes:
    named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\n{named}Content-Length: {len(body)}\r\n\r\n".encode() + body


def chunked(*chunks: bytes, status: int = 200) -> bytes:
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n\r\n" % status + framed + b"0\r\n\r\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ListedResolver(AbstractResolver):
    """Answers the n-th question with the n-th list of addresses, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = answers
        self.questions: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = self.answers[min(len(self.questions), len(self.answers) - 1)]
        self.questions.append(host)
        if not addresses:
            raise OSError(None, "name or service not known")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass
