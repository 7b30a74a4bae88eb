"""How runs end: cancelled by events and timeouts, failed with a handler, followed by other functions."""

import asyncio
import datetime

import inngest
from clients import client
from recorder import note, recorder, returning

_LONG = datetime.timedelta(minutes=10)


@client.create_function(
    fn_id="cancellable",
    cancel=[inngest.Cancel(event="py/cancel", if_exp="async.data.key == event.data.key")],
    trigger=inngest.TriggerEvent(event="py/cancellable"),
)
async def cancellable(ctx: inngest.Context) -> object:
    await ctx.step.run("before", returning(ctx, "before", 1))
    await ctx.step.sleep("long", _LONG)
    note(ctx, "after")
    return "never"


async def _on_failure(ctx: inngest.Context) -> object:
    original = ctx.event.data["event"]
    note_key = str(original["data"]["key"])
    recorder.add(note_key, "on-failure", event=ctx.event.model_dump(), run_id=ctx.run_id)
    return "handled"


@client.create_function(
    fn_id="with-handler",
    retries=1,
    on_failure=_on_failure,
    trigger=inngest.TriggerEvent(event="py/with-handler"),
)
async def with_handler(ctx: inngest.Context) -> object:
    note(ctx, "body")
    raise ValueError("handled elsewhere")


@client.create_function(
    fn_id="after-finished",
    trigger=inngest.TriggerEvent(
        event="inngest/function.finished", expression="event.data.function_id == 'py-plain'"
    ),
)
async def after_finished(ctx: inngest.Context) -> object:
    return _follow(ctx, "finished")


@client.create_function(
    fn_id="after-cancelled",
    trigger=inngest.TriggerEvent(
        event="inngest/function.cancelled", expression="event.data.function_id == 'py-cancellable'"
    ),
)
async def after_cancelled(ctx: inngest.Context) -> object:
    return _follow(ctx, "cancelled")


def _follow(ctx: inngest.Context, label: str) -> object:
    recorder.add(str(ctx.event.data["event"]["data"].get("key", "")), label, event=ctx.event.model_dump())
    return None


@client.create_function(
    fn_id="finish-timeout",
    timeouts=inngest.Timeouts(finish=datetime.timedelta(seconds=1)),
    trigger=inngest.TriggerEvent(event="py/finish-timeout"),
)
async def finish_timeout(ctx: inngest.Context) -> object:
    await ctx.step.run("before", returning(ctx, "before", 1))
    await ctx.step.sleep("long", _LONG)
    note(ctx, "after")
    return "never"


@client.create_function(
    fn_id="start-timeout",
    concurrency=[inngest.Concurrency(limit=1)],
    timeouts=inngest.Timeouts(start=datetime.timedelta(seconds=1)),
    trigger=inngest.TriggerEvent(event="py/start-timeout"),
)
async def start_timeout(ctx: inngest.Context) -> object:
    """The first run holds the only slot for longer than the second may wait to start."""

    async def occupy() -> object:
        note(ctx, "occupied", n=ctx.event.data["n"])
        await asyncio.sleep(2.5)
        return "done"

    return await ctx.step.run("occupy", occupy)


FUNCTIONS = [
    cancellable,
    with_handler,
    after_finished,
    after_cancelled,
    finish_timeout,
    start_timeout,
]
