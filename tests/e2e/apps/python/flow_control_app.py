"""The Python app of the flow control suite: one function for each setting, nearly all with the same body.

`APP_ID` names it and its events. Beside what `recorder` keeps it answers `GET /_flights`, the call
requests in the order in which they began and ended; `POST /_release?key=` lets go the bodies whose event
says `hold`.
"""

import asyncio
import datetime
import json
import os
from collections.abc import Awaitable, Callable

import fastapi
import inngest
import inngest.fast_api
import uvicorn
from recorder import note, recorder

APP_ID = os.environ["APP_ID"]
_POLL_SECONDS = 0.02

client = inngest.Inngest(app_id=APP_ID)
flights: list[dict[str, object]] = []
released: set[str] = set()


def seconds(count: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=count)


async def work(ctx: inngest.Context) -> object:
    """One step, which lasts `ms`, or until the test lets go."""

    async def body() -> object:
        data = ctx.event.data
        note(ctx, "work", n=data.get("n"), user=data.get("user"))
        await asyncio.sleep(float(data.get("ms", 0)) / 1000)
        while data.get("hold") and data["key"] not in released:
            await asyncio.sleep(_POLL_SECONDS)
        return data.get("n")

    return await ctx.step.run("work", body)


async def collect(ctx: inngest.Context) -> object:
    """The events of the run, by their number."""
    numbers = [event.data["n"] for event in ctx.events]
    note(ctx, "collect", numbers=numbers)
    return numbers


async def nap(ctx: inngest.Context) -> object:
    note(ctx, "asleep", n=ctx.event.data["n"])
    await ctx.step.sleep("nap", seconds(float(ctx.event.data["seconds"])))

    async def body() -> None:
        note(ctx, "awake", n=ctx.event.data["n"])

    await ctx.step.run("after", body)
    return "rested"


async def invoke(ctx: inngest.Context) -> object:
    """Invokes `target` with `data`: its result, or the error that the step ended with."""
    target, data = ctx.event.data["target"], ctx.event.data["data"]
    note(ctx, "invokes")
    try:
        return {"result": await ctx.step.invoke_by_id("call", function_id=str(target), data=data)}
    except inngest.StepError as error:
        return {"name": error.name, "message": error.message}


OPTIONS: dict[str, dict[str, object]] = {
    "plain": {"concurrency": [inngest.Concurrency(limit=2)]},
    "per-user": {"concurrency": [inngest.Concurrency(limit=1, key="event.data.user")]},
    "env-one": {"concurrency": [inngest.Concurrency(limit=2, scope="env", key="event.data.key")]},
    "env-two": {"concurrency": [inngest.Concurrency(limit=2, scope="env", key="event.data.key")]},
    "account-wide": {"concurrency": [inngest.Concurrency(limit=2, scope="account", key="event.data.key")]},
    "account-narrow": {"concurrency": [inngest.Concurrency(limit=1, scope="account", key="event.data.key")]},
    "two-entries": {
        "concurrency": [inngest.Concurrency(limit=3), inngest.Concurrency(limit=1, key="event.data.user")]
    },
    "throttled": {
        "throttle": inngest.Throttle(limit=2, period=seconds(4), burst=1, key="event.data.user"),
    },
    "throttled-one": {
        "concurrency": [inngest.Concurrency(limit=1)],
        "throttle": inngest.Throttle(limit=1, period=seconds(2), burst=0),
    },
    "rated": {"rate_limit": inngest.RateLimit(limit=3, period=seconds(3600), key="event.data.user")},
    "once": {"idempotency": "event.data.order"},
    "debounced": {"debounce": inngest.Debounce(period=seconds(1), key="event.data.user")},
    "debounced-capped": {
        "debounce": inngest.Debounce(period=seconds(2), timeout=seconds(3), key="event.data.user"),
    },
    "important": {
        "concurrency": [inngest.Concurrency(limit=1)],
        "priority": inngest.Priority(run="event.data.p"),
    },
    "single": {"singleton": inngest.Singleton(mode="skip", key="event.data.user")},
    "latest": {"singleton": inngest.Singleton(mode="cancel", key="event.data.user")},
    "must-start": {
        "concurrency": [inngest.Concurrency(limit=1)],
        "timeouts": inngest.Timeouts(start=seconds(1)),
    },
}


def serving(
    name: str, body: Callable[[inngest.Context], Awaitable[object]], **options: object
) -> inngest.Function:
    trigger = inngest.TriggerEvent(event=f"{APP_ID}/{name}")
    return client.create_function(fn_id=name, retries=0, trigger=trigger, **options)(body)


FUNCTIONS = [
    *(serving(name, work, **options) for name, options in OPTIONS.items()),
    serving(
        "batched",
        collect,
        batch_events=inngest.Batch(
            max_size=3, timeout=seconds(2), key="event.data.user", if_exp="event.data.together"
        ),
    ),
    serving("naps", nap, concurrency=[inngest.Concurrency(limit=1, key="event.data.key")]),
    serving("must-finish", nap, timeouts=inngest.Timeouts(finish=seconds(1))),
    serving("invokes", invoke),
]

app = fastapi.FastAPI()


@app.middleware("http")
async def keep_flights(
    request: fastapi.Request, call_next: Callable[[fastapi.Request], Awaitable[fastapi.Response]]
) -> fastapi.Response:
    """A call has ended when its answer is ready, before the server can know of it."""
    if request.method != "POST" or "fnId" not in request.query_params:
        return await call_next(request)
    call = json.loads(await request.body())
    data = call["event"]["data"]
    flight = {
        "function": request.query_params["fnId"].removeprefix(f"{APP_ID}-"),
        "run_id": call["ctx"]["run_id"],
        **{name: data.get(name) for name in ("key", "user", "n")},
    }
    flights.append({**flight, "change": 1})
    try:
        return await call_next(request)
    finally:
        flights.append({**flight, "change": -1})


@app.get("/_calls")
async def calls() -> list[dict[str, object]]:
    return recorder.calls()


@app.get("/_flights")
async def get_flights() -> list[dict[str, object]]:
    return flights


@app.post("/_release")
async def release(key: str) -> None:
    released.add(key)


inngest.fast_api.serve(app, client, FUNCTIONS)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="info")
