"""Stands between the load generator and a platform, and adds settings to every function that is registered.

    python -m tests.bench.register_proxy --target http://127.0.0.1:8288 [--flow-control]

Prints its own URL. With and without --flow-control the generator goes the same way, so that the two differ
in nothing but the settings.
"""

import argparse
import asyncio
import json
import sys
from typing import Any

import aiohttp
from aiohttp import web

# Every control that leaves each event its own run, with limits that never stop one.
FLOW_CONTROL: dict[str, Any] = {
    "concurrency": [
        {"limit": 1000, "key": "event.data.n"},
        {"limit": 10_000, "key": "event.name", "scope": "env"},
    ],
    "throttle": {"limit": 1_000_000, "period": "1s", "key": "event.name"},
    "rateLimit": {"limit": 1_000_000, "period": "1h", "key": "event.data.n"},
    "priority": {"run": "event.data.n > 100.0 ? 10 : 0"},
    "singleton": {"mode": "skip", "key": "event.data.n"},
    "timeouts": {"start": "1h", "finish": "2h"},
    "cancel": [{"event": "bench/cancel", "if": "event.data.n == async.data.n"}],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", required=True)
    parser.add_argument("--flow-control", action="store_true")
    options = parser.parse_args()
    asyncio.run(serve(options.target, FLOW_CONTROL if options.flow_control else {}))


async def serve(target: str, settings: dict[str, Any]) -> None:
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def forward(request: web.Request) -> web.Response:
            body = await request.read()
            if request.path == "/fn/register":
                body = with_settings(body, settings)
            headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
            async with session.request(
                request.method, target + request.path_qs, data=body, headers=headers
            ) as answer:
                kind = answer.headers.get("content-type", "")
                return web.Response(
                    status=answer.status, body=await answer.read(), headers={"content-type": kind}
                )

        application = web.Application(client_max_size=32 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", forward)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        [(host, port)] = [address[:2] for address in runner.addresses]
        sys.stdout.write(f"http://{host}:{port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


_HOP_BY_HOP = frozenset({"Host", "Content-Length", "Transfer-Encoding", "Connection"})


def with_settings(body: bytes, settings: dict[str, Any]) -> bytes:
    registration = json.loads(body)
    for function in registration["functions"]:
        function.update(settings)
    return json.dumps(registration).encode()


if __name__ == "__main__":
    main()
