"""One HTTP request and its whole answer, over connections that obey the address policy.

aiohttp carries both calls to apps and the requests of Gateway and AIGateway steps: it pins each
connection to the address that was checked, which httpx can only do with a transport of one's own.
"""

import asyncio
import io
import time
from contextvars import ContextVar

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from multidict import CIMultiDictProxy

from apps.engine.calls import failures
from apps.engine.calls.addresses import AddressPolicy
from apps.engine.calls.connector import open_connector
from apps.engine.calls.failures import TransportFailed
from apps.engine.calls.redirects import Request

# aiohttp warns when it writes a larger body at once; a file-like one it writes in pieces.
_WHOLE_BODY_BYTES = 512 * 1024
# A connection that was closed while idle says so within a round trip; a later reset is the app's end.
_STALE_WITHIN_SECONDS = 2.0
_WHITE_SPACE = b" \t\r\n"


class Limits(msgspec.Struct, frozen=True):
    """Seconds and bytes. `idle_seconds` counts between the bytes of a body that has begun."""

    total_seconds: float = 7200.0
    connect_seconds: float = 15.0
    idle_seconds: float = 120.0
    max_body_bytes: int = 8 * 1024 * 1024


class Reply(msgspec.Struct):
    """A complete answer; the body is decompressed, without the white space before a stream's document."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


class _Sending:
    """One request under way. It learns of the socket opened for it; without one it reuses a connection."""

    def __init__(self) -> None:
        self.opened_socket = False
        self.started = time.monotonic()


_sending: ContextVar[_Sending] = ContextVar("sending")


class HttpTransport:
    """A pool of connections of the running loop. `send` performs one hop; redirects are answers."""

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        limits: Limits | None = None,
        connections: int = 0,
        connections_per_host: int = 0,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self.policy = policy
        self.limits = limits or Limits()
        self._pooled = self._open_session(connections, connections_per_host, resolver, reuse=True)
        self._fresh = self._open_session(connections, connections_per_host, resolver, reuse=False)

    async def close(self) -> None:
        await self._pooled.close()
        await self._fresh.close()

    async def send_once(self, request: Request) -> Reply:
        """Send over a connection of its own, never twice: for servers that know nothing of attempts.

        Raises TransportFailed.
        """
        try:
            self.policy.require_url(request.url)
            return await self._exchange(self._fresh, request, _Sending())
        except failures.CLIENT_ERRORS as error:
            raise failures.from_exception(error) from error

    async def send(self, request: Request) -> Reply:
        """Raises TransportFailed. Repeats a request once whose kept-alive connection had been closed."""
        sending = _Sending()
        try:
            self.policy.require_url(request.url)
            return await self._exchange(self._pooled, request, sending)
        except failures.CLIENT_ERRORS as error:
            if not _was_stale(error, sending):
                raise failures.from_exception(error) from error
        try:
            return await self._exchange(self._fresh, request, _Sending())
        except failures.CLIENT_ERRORS as error:
            raise failures.from_exception(error) from error

    async def _exchange(self, session: aiohttp.ClientSession, request: Request, sending: _Sending) -> Reply:
        _sending.set(sending)
        async with session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=_payload(request.body),
            allow_redirects=False,
        ) as response:
            body = await self._read(response)
            return Reply(response.status, response.headers, body)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        limit = self.limits.max_body_bytes
        if (response.content_length or 0) > limit:
            raise _too_large(limit)
        chunks: list[bytes] = []
        size = 0
        # A stream keeps its connection open with spaces before its document; they do not count.
        leading = response.status == 201
        while chunk := await self._next_chunk(response.content):
            if leading:
                chunk = chunk.lstrip(_WHITE_SPACE)
                leading = not chunk
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            chunks.append(chunk)
        return b"".join(chunks)

    async def _next_chunk(self, content: aiohttp.StreamReader) -> bytes:
        if content.is_eof():
            return await content.readany()
        try:
            async with asyncio.timeout(self.limits.idle_seconds):
                return await content.readany()
        except TimeoutError:
            raise failures.BodyStalled(f"no byte of the body for {self.limits.idle_seconds:g} s") from None

    def _open_session(
        self, connections: int, per_host: int, resolver: AbstractResolver | None, *, reuse: bool
    ) -> aiohttp.ClientSession:
        connector = open_connector(
            self.policy,
            _note_open,
            limit=connections,
            limit_per_host=per_host,
            reuse=reuse,
            resolver=resolver,
        )
        timeout = aiohttp.ClientTimeout(
            total=self.limits.total_seconds, sock_connect=self.limits.connect_seconds
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Content-Type", "User-Agent", "Accept"),
        )


def joined_headers(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    """Lower-case names; the values of a repeated name are joined with a comma."""
    joined: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        joined[key] = f"{joined[key]},{value}" if key in joined else value
    return joined


def _note_open() -> None:
    _sending.get().opened_socket = True


def _payload(body: bytes | None) -> bytes | io.BytesIO | None:
    return io.BytesIO(body) if body is not None and len(body) > _WHOLE_BODY_BYTES else body


def _was_stale(error: BaseException, sending: _Sending) -> bool:
    """Whether a kept-alive connection turned out closed before any byte of the answer came."""
    if sending.opened_socket or time.monotonic() - sending.started > _STALE_WITHIN_SECONDS:
        return False
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return isinstance(error.message, str)  # else the head of a response had begun
    if not isinstance(error, aiohttp.ClientConnectionError):
        return False
    return isinstance(error, ConnectionError) or isinstance(error.__cause__, ConnectionError)


def _too_large(limit: int) -> TransportFailed:
    return TransportFailed(failures.TOO_LARGE, f"the body is larger than {limit} bytes")
