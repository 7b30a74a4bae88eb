"""A small FastAPI app for the tests that start, stop, re-sync or sign an app of their own.

`APP_ID` names it. `FUNCTIONS` lists what it serves (default: all); `BROKEN=1` adds a function with a
schedule that is none, `STREAMING=1` answers calls as streams, `ENCRYPTED=1` adds the encryption middleware.
`NAP_RETRIES` are the retries of the function that sleeps.
"""

import asyncio
import datetime
import os

import fastapi
import inngest
import inngest.fast_api
import uvicorn
from recorder import note, recorder, returning

APP_ID = os.environ["APP_ID"]


def _middleware() -> list:
    if "ENCRYPTED" not in os.environ:
        return []
    from inngest_encryption import EncryptionMiddleware

    return [EncryptionMiddleware.factory("a secret of the app", event_encryption_field="secret")]


client = inngest.Inngest(app_id=APP_ID, middleware=_middleware())


@client.create_function(fn_id="echo", retries=3, trigger=inngest.TriggerEvent(event=f"{APP_ID}/echo"))
async def echo(ctx: inngest.Context) -> object:
    """One step that returns the event's value, and a result that repeats it."""
    stepped = await ctx.step.run("echo", returning(ctx, "echo", ctx.event.data.get("value")))
    note(ctx, "end", stepped=stepped, secret=ctx.event.data.get("secret"))
    return {"value": ctx.event.data.get("value"), "stepped": stepped}


@client.create_function(fn_id="relay", trigger=inngest.TriggerEvent(event=f"{APP_ID}/relay"))
async def relay(ctx: inngest.Context) -> object:
    """Sends the event on to `echo`, with a field that the encryption middleware hides."""
    data = {"key": ctx.event.data["key"], "value": 1, "secret": ctx.event.data["hide"]}
    return await ctx.step.send_event("send", inngest.Event(name=f"{APP_ID}/echo", data=data))


@client.create_function(fn_id="fails", retries=1, trigger=inngest.TriggerEvent(event=f"{APP_ID}/fails"))
async def fails(ctx: inngest.Context) -> object:
    note(ctx, "body")
    raise ValueError("no")


@client.create_function(fn_id="slow", trigger=inngest.TriggerEvent(event=f"{APP_ID}/slow"))
async def slow(ctx: inngest.Context) -> object:
    """A step that takes longer than the pause between two signs of life of a stream."""

    async def body() -> str:
        note(ctx, "slow")
        await asyncio.sleep(3.3)
        return "slowly"

    return await ctx.step.run("slow", body)


@client.create_function(
    fn_id="naps",
    retries=int(os.environ.get("NAP_RETRIES", "4")),
    trigger=inngest.TriggerEvent(event=f"{APP_ID}/naps"),
)
async def naps(ctx: inngest.Context) -> object:
    await ctx.step.run("before", returning(ctx, "before", 1))
    await ctx.step.sleep("nap", datetime.timedelta(milliseconds=ctx.event.data["ms"]))
    await ctx.step.run("after", returning(ctx, "after", 2))
    return "rested"


@client.create_function(fn_id="large", trigger=inngest.TriggerEvent(event=f"{APP_ID}/large"))
async def large(ctx: inngest.Context) -> object:
    lengths = []
    for letter in "abcde":
        lengths.append(len(await ctx.step.run(letter, returning(ctx, letter, letter * 1_000_000))))
    return lengths


@client.create_function(fn_id="yearly", trigger=inngest.TriggerCron(cron="0 0 29 2 *"))
async def yearly(ctx: inngest.Context) -> object:
    return None


@client.create_function(fn_id="broken", trigger=inngest.TriggerCron(cron="every day"))
async def broken(ctx: inngest.Context) -> object:
    return None


ALL = {
    "echo": echo,
    "relay": relay,
    "fails": fails,
    "slow": slow,
    "naps": naps,
    "large": large,
    "yearly": yearly,
}

app = fastapi.FastAPI()


@app.get("/_calls")
async def calls() -> list[dict[str, object]]:
    return recorder.calls()


@app.post("/_reset")
async def reset() -> None:
    recorder.clear()


names = os.environ.get("FUNCTIONS", ",".join(ALL)).split(",")
functions = [ALL[name] for name in names] + ([broken] if "BROKEN" in os.environ else [])
streaming = inngest.Streaming.FORCE if "STREAMING" in os.environ else None
inngest.fast_api.serve(app, client, functions, streaming=streaming)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="info")
