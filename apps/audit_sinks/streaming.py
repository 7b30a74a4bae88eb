"""A service of the scheduler: audit logs are sent on as they grow, in order, each entry at least once.

A request is a POST of up to 100 entries, one JSON object a line as in the export, signed as calls of apps
are: `X-Stepwell-Signature: t=<seconds>&s=<HMAC-SHA256 of body and t>`. Any 2xx takes them; a redirect is a
failure.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from django.conf import settings
from django.db import connections
from yarl import URL

from apps.audit_sinks.outgoing import Outgoing, claim_due, settle
from apps.engine.calls.addresses import AddressPolicy
from apps.engine.calls.exchange import HttpTransport, Limits
from apps.engine.calls.failures import TransportFailed
from apps.engine.calls.redirects import Request
from apps.engine.protocol import signing
from apps.engine.services import wait_for

ROUND_SECONDS: Final = 2.0
LIMITS: Final = Limits(total_seconds=20, connect_seconds=5, idle_seconds=10, max_body_bytes=64 * 1024)

Result = TypeVar("Result")


class AuditStreamer:
    """Several may run at once: each sink is claimed by one."""

    name = "audit-streamer"

    async def run(self, stop: asyncio.Event) -> None:
        transport = open_transport()
        # One thread, so that one database connection serves all rounds.
        with ThreadPoolExecutor(1, thread_name_prefix=self.name) as thread:
            try:
                while not stop.is_set():
                    await stream_due(transport, thread)
                    await wait_for(stop, ROUND_SECONDS)
            finally:
                await transport.close()
                thread.submit(connections.close_all)


def open_transport() -> HttpTransport:
    policy = AddressPolicy(allow_private=settings.STEPWELL_ALLOW_PRIVATE_NETWORKS)
    return HttpTransport(policy, limits=LIMITS)


async def stream_due(transport: HttpTransport, thread: ThreadPoolExecutor) -> None:
    """One batch to each sink that waits for one."""
    claimed = await _in_thread(thread, claim_due)
    await asyncio.gather(*(_stream(transport, thread, outgoing) for outgoing in claimed))


async def _stream(transport: HttpTransport, thread: ThreadPoolExecutor, outgoing: Outgoing) -> None:
    error = await _post(transport, outgoing)
    await _in_thread(thread, lambda: settle(outgoing, error))


async def _post(transport: HttpTransport, outgoing: Outgoing) -> str:
    """Why the entries were not taken; empty where they were."""
    headers = {
        "Content-Type": "application/x-ndjson",
        "User-Agent": "Stepwell",
        "X-Stepwell-Signature": signing.sign(outgoing.secret, outgoing.body, int(time.time())),
    }
    try:
        reply = await transport.send_once(Request("POST", URL(outgoing.url), headers, outgoing.body))
    except TransportFailed as failed:
        return failed.detail
    return "" if 200 <= reply.status < 300 else f"it answered with status {reply.status}"


async def _in_thread(thread: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
    return await asyncio.get_running_loop().run_in_executor(thread, work)
