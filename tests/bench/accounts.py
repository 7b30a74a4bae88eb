"""`fair` between two accounts: one floods, the other sends single events.

    python -m tests.bench.accounts --redis URL [--events 20000] [--probes 20] [--answer-after MS]

As `fair` of bench.mjs, but the two functions belong to two accounts, which the development server has no
keys for: functions and events go to the queue directly, as the registry and the event API would write them.
With --answer-after the flooded app takes that long over each call, so that the flood gets no more than ten
calls in that time: this tells what the single event would gain by holding the flood back. Prints one line
of JSON; rates are runs of the flood per second while the single events were sent.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import time
import uuid

import msgspec
from aiohttp import web

from apps.engine.engine import Engine
from apps.engine.event_stream import EventContext, EventEntry
from apps.engine.functions import ConcurrencyLimit, FunctionSpec, Trigger
from apps.engine.protocol.ids import new_ulid

_LONE_PROBES = 20
_FIRST_PROBE = 10_000_000
_TIMEOUT_SECONDS = 120
_HEADERS = {"x-inngest-sdk": "js:v3.54.0", "x-inngest-req-version": "1"}


class App:
    """The two accounts' app: it answers at once, or the flooded one after `answer_after` seconds, and knows
    when each event was answered."""

    def __init__(self, answer_after: float) -> None:
        self.done: dict[int, float] = {}
        self._answer_after = answer_after

    @property
    def flood_done(self) -> int:
        return sum(number < _FIRST_PROBE for number in self.done)

    async def answer(self, request: web.Request) -> web.Response:
        number = (await request.json())["event"]["data"]["n"]
        if self._answer_after and number < _FIRST_PROBE:
            await asyncio.sleep(self._answer_after)
        self.done.setdefault(number, time.perf_counter())
        return web.json_response({"n": number}, headers=_HEADERS)


class Tenant:
    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.account_id, self.env_id = str(uuid.uuid4()), str(uuid.uuid4())
        self.spec = FunctionSpec(
            id=str(uuid.uuid4()),
            slug=f"bench-{name}",
            name=name,
            app_id=str(uuid.uuid4()),
            app_name=name,
            env_id=self.env_id,
            account_id=self.account_id,
            version=1,
            url=f"http://127.0.0.1:{port}/?fnId={name}&stepId=step",
            triggers=(Trigger(event=f"bench/{name}"),),
            concurrency=(ConcurrencyLimit(10),),
        )

    def entry(self, number: int) -> EventEntry:
        internal_id, name = new_ulid(int(time.time() * 1000)), f"bench/{self.name}"
        event = {"data": {"n": number}, "id": internal_id, "name": name, "ts": int(time.time() * 1000)}
        body = msgspec.json.encode(event)
        return EventEntry(internal_id, self.env_id, self.account_id, name, body, EventContext())


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--redis", required=True)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--probes", type=int, default=20)
    parser.add_argument("--answer-after", type=float, default=0.0, metavar="MS")
    options = parser.parse_args()
    app = App(options.answer_after / 1000)
    engine = await Engine.connect(options.redis, "0")
    server = web.AppRunner(_application(app))
    await server.setup()
    site = web.TCPSite(server, "127.0.0.1", 0)
    await site.start()
    port = server.addresses[0][1]
    flooding, quiet = Tenant("a", port), Tenant("b", port)
    await engine.publish_functions([flooding.spec, quiet.spec])
    result = await measure(engine, app, flooding, quiet, options.events, options.probes)
    sys.stdout.write(json.dumps({"scenario": "fair_accounts", "events": options.events, **result}) + "\n")


def _application(app: App) -> web.Application:
    application = web.Application(client_max_size=16 * 1024 * 1024)
    application.router.add_post("/", app.answer)
    return application


async def measure(
    engine: Engine, app: App, flooding: Tenant, quiet: Tenant, events: int, probes: int
) -> dict[str, float]:
    numbers = itertools.count(_FIRST_PROBE)
    alone = [await probe(engine, app, quiet, next(numbers)) for _ in range(_LONE_PROBES + 3)][3:]
    for start in range(0, events, 500):
        await engine.append_events([flooding.entry(number) for number in range(start, start + 500)])
    done_before, began_at, loaded = app.flood_done, time.perf_counter(), []
    for _ in range(probes):
        if events and app.flood_done >= events:
            raise SystemExit("the flood drained too fast: raise --events")
        loaded.append(await probe(engine, app, quiet, next(numbers)))
    seconds = time.perf_counter() - began_at
    return {
        "alone_ms_p50": round(statistics.median(alone), 2),
        "under_flood_ms_p50": round(statistics.median(loaded), 2),
        "under_flood_ms_p95": round(sorted(loaded)[min(probes - 1, int(probes * 0.95))], 2),
        "flood_runs_per_s": round((app.flood_done - done_before) / seconds),
        "backlog_after": events - app.flood_done,
    }


async def probe(engine: Engine, app: App, tenant: Tenant, number: int) -> float:
    """Milliseconds from sending an event until its run was answered."""
    sent_at = time.perf_counter()
    await engine.append_events([tenant.entry(number)])
    while number not in app.done:
        if time.perf_counter() - sent_at > _TIMEOUT_SECONDS:
            raise SystemExit("starved")
        await asyncio.sleep(0.001)
    return (app.done[number] - sent_at) * 1000


if __name__ == "__main__":
    asyncio.run(main())
