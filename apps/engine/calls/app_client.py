"""Calls to apps: the hot path's HTTP client (spec 01, 6.1 and 7.1)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Self

import msgspec
from aiohttp.abc import AbstractResolver
from yarl import URL

from apps.engine.calls import failures
from apps.engine.calls.addresses import AddressPolicy
from apps.engine.calls.exchange import HttpTransport, Limits, Reply, joined_headers
from apps.engine.calls.failures import TransportFailed
from apps.engine.calls.redirects import REDIRECT_STATUSES, Request, app_redirect

MAX_REDIRECTS = 60


class AppResponse(msgspec.Struct):
    """`headers` have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


class AppClient:
    """Posts call requests over kept-alive connections; belongs to the loop that is running.

    `connections_per_host` bounds how many requests one app serves at a time; more wait their turn.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        limits: Limits | None = None,
        connections: int = 0,
        connections_per_host: int = 0,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self.transport = HttpTransport(
            policy,
            limits=limits,
            connections=connections,
            connections_per_host=connections_per_host,
            resolver=resolver,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self.transport.close()

    async def call(self, url: str, headers: Mapping[str, str], body: bytes) -> AppResponse:
        """POST `body` and read the whole answer, following redirects. Raises TransportFailed."""
        request = Request("POST", _parsed(url), headers, body)
        for _ in range(MAX_REDIRECTS + 1):
            reply = await self.transport.send(request)
            location = reply.headers.get("Location")
            if reply.status not in REDIRECT_STATUSES or not location:
                return AppResponse(reply.status, joined_headers(reply.headers), reply.body)
            request = _redirected(request, reply, location)
        raise TransportFailed(failures.TOO_MANY_REDIRECTS, f"more than {MAX_REDIRECTS} redirects")


def _redirected(request: Request, reply: Reply, location: str) -> Request:
    try:
        return app_redirect(request, reply.status, location)
    except ValueError:
        raise TransportFailed(failures.INVALID_URL, "the redirect's location is malformed") from None


@lru_cache(maxsize=2048)
def _parsed(url: str) -> URL:
    try:
        return URL(url)
    except ValueError:
        raise TransportFailed(failures.INVALID_URL, "the URL is malformed") from None
