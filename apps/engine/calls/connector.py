"""Connections that go only where the address policy allows, whatever DNS says (spec 04, 6.4)."""

import socket
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohappyeyeballs import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from apps.engine.calls.addresses import AddressBlocked, AddressPolicy

DNS_CACHE_SECONDS = 10
# Below the 5 s after which Node and uvicorn close idle connections.
KEEPALIVE_SECONDS = 4.0


class CheckedResolver(AbstractResolver):
    """Resolves names and drops the addresses that the policy forbids.

    `localhost` is ::1 and 127.0.0.1, in that order, without asking anybody: apps listen on either.
    """

    def __init__(self, policy: AddressPolicy, resolver: AbstractResolver) -> None:
        self._policy = policy
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if _is_localhost(host):
            results = _localhost_results(host, port)
        else:
            results = await self._resolver.resolve(host, port, family)
        return self._allowed(results)

    async def close(self) -> None:
        await self._resolver.close()

    def _allowed(self, results: list[ResolveResult]) -> list[ResolveResult]:
        allowed: list[ResolveResult] = []
        blocked: AddressBlocked | None = None
        for result in results:
            try:
                self._policy.require_address(result["host"])
            except AddressBlocked as error:
                blocked = error
            else:
                allowed.append(result)
        if blocked and not allowed:
            raise blocked
        return allowed


def open_connector(
    policy: AddressPolicy,
    on_open: Callable[[], None],
    *,
    limit: int = 0,
    limit_per_host: int = 0,
    reuse: bool = True,
    resolver: AbstractResolver | None = None,
) -> aiohttp.TCPConnector:
    """A connector for the running loop; limits of 0 are none. `reuse` keeps connections alive.

    `on_open` is called in the context of the request that a socket is opened for.
    """

    def open_socket(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        on_open()
        policy.require_address(str(address[0]))
        return socket.socket(family, kind, protocol)

    keepalive: dict[str, Any] = {"keepalive_timeout": KEEPALIVE_SECONDS} if reuse else {"force_close": True}
    return aiohttp.TCPConnector(
        limit=limit,
        limit_per_host=limit_per_host,
        resolver=CheckedResolver(policy, resolver or aiohttp.ThreadedResolver()),
        ttl_dns_cache=DNS_CACHE_SECONDS,
        socket_factory=open_socket,
        **keepalive,
    )


def _is_localhost(host: str) -> bool:
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")


def _localhost_results(host: str, port: int) -> list[ResolveResult]:
    return [
        ResolveResult(
            hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
        )
        for address, family in (("::1", socket.AF_INET6), ("127.0.0.1", socket.AF_INET))
    ]
