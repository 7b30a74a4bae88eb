"""Requests of ours to apps: the sync ping and the probe of discovery (spec 01 2.2, 4.2 and 12.3)."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

import msgspec
from yarl import URL

from apps.engine.calls import failures
from apps.engine.calls.addresses import AddressPolicy
from apps.engine.calls.exchange import HttpTransport, Limits, Reply
from apps.engine.calls.failures import TransportFailed
from apps.engine.calls.redirects import REDIRECT_STATUSES, Request, app_redirect
from apps.engine.protocol import jcs, signing
from apps.registry import app_urls

PING_SECONDS: Final = 10.0
PROBE_SECONDS: Final = 2.0
_MAX_REDIRECTS: Final = 10


class Answer(msgspec.Struct, frozen=True):
    """What an app answered; `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_from_sdk(self) -> bool:
        return "x-inngest-sdk" in self.headers


class Unreachable(Exception):
    """No usable answer came; the message says why."""


async def put(url: str, *, server_kind: str, signing_key: str, policy: AddressPolicy) -> Answer:
    """PUT the app's URL to it, signed where there is a key. Raises Unreachable."""
    body = jcs.canonicalise(msgspec.json.encode({"url": url}))
    headers = {"Content-Type": "application/json", "X-Inngest-Server-Kind": server_kind}
    if signing_key:
        headers["X-Inngest-Signature"] = signing.sign(signing_key, body, int(time.time()))
        headers["X-Inngest-Sync-Kind"] = "in_band"
    return await _first_reached(_request_to("PUT", url, headers, body), PING_SECONDS, policy)


async def probe(url: str, *, server_kind: str, policy: AddressPolicy) -> Answer:
    """GET what may be an app. Raises Unreachable."""
    request = _request_to("GET", url, {"X-Inngest-Server-Kind": server_kind}, None)
    return await _first_reached(request, PROBE_SECONDS, policy)


async def _first_reached(request: Request, seconds: float, policy: AddressPolicy) -> Answer:
    """The answer of the first form of the URL that something listens at."""
    *others, last = app_urls.call_candidates(str(request.url))
    for candidate in others:
        try:
            return await _request(_at(request, candidate), seconds, policy)
        except TransportFailed as failure:
            if failure.kind != failures.UNREACHABLE:
                raise Unreachable(failure.detail) from failure
    try:
        return await _request(_at(request, last), seconds, policy)
    except TransportFailed as failure:
        raise Unreachable(failure.detail) from failure


def _at(request: Request, url: str) -> Request:
    return msgspec.structs.replace(request, url=URL(url))


def _request_to(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Request:
    try:
        return Request(method, URL(url), headers, body)
    except ValueError:
        raise Unreachable("the URL is malformed") from None


async def _request(request: Request, seconds: float, policy: AddressPolicy) -> Answer:
    reply = await _follow(request, seconds, policy)
    return Answer(reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.body)


async def _follow(request: Request, seconds: float, policy: AddressPolicy) -> Reply:
    limits = Limits(total_seconds=seconds, connect_seconds=seconds, idle_seconds=seconds)
    transport = HttpTransport(policy, limits=limits)
    try:
        async with asyncio.timeout(seconds):
            return await _send(transport, request)
    except TimeoutError:
        raise TransportFailed(failures.TIMEOUT, f"no answer within {seconds:g} s") from None
    finally:
        await transport.close()


async def _send(transport: HttpTransport, request: Request) -> Reply:
    for _ in range(_MAX_REDIRECTS + 1):
        reply = await transport.send(request)
        location = reply.headers.get("Location")
        if reply.status not in REDIRECT_STATUSES or not location:
            return reply
        request = _redirected(request, reply.status, location)
    raise TransportFailed(failures.TOO_MANY_REDIRECTS, f"more than {_MAX_REDIRECTS} redirects")


def _redirected(request: Request, status: int, location: str) -> Request:
    try:
        return app_redirect(request, status, location)
    except ValueError:
        raise TransportFailed(failures.INVALID_URL, "the redirect's location is malformed") from None
