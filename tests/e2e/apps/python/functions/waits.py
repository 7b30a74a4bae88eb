"""Sleeps and waits for events."""

import datetime

import inngest
from clients import client
from recorder import note, returning

_LONG = datetime.timedelta(minutes=10)


@client.create_function(fn_id="sleeps", trigger=inngest.TriggerEvent(event="py/sleeps"))
async def sleeps(ctx: inngest.Context) -> object:
    await ctx.step.run("before", returning(ctx, "before", None))
    await ctx.step.sleep("sleep", datetime.timedelta(milliseconds=ctx.event.data["ms"]))
    await ctx.step.run("after", returning(ctx, "after", None))
    return "woke"


@client.create_function(fn_id="sleeps-until", trigger=inngest.TriggerEvent(event="py/sleeps-until"))
async def sleeps_until(ctx: inngest.Context) -> object:
    until = datetime.datetime.fromtimestamp(ctx.event.data["until"] / 1000, tz=datetime.UTC)
    await ctx.step.run("before", returning(ctx, "before", None))
    await ctx.step.sleep_until("sleep", until)
    await ctx.step.run("after", returning(ctx, "after", None))
    return "woke"


@client.create_function(fn_id="waits", trigger=inngest.TriggerEvent(event="py/waits"))
async def waits(ctx: inngest.Context) -> object:
    """Waits for the event `data.for` with the condition `data.if`."""
    event = await ctx.step.wait_for_event(
        "wait",
        event=str(ctx.event.data["for"]),
        if_exp=ctx.event.data.get("if"),
        timeout=datetime.timedelta(milliseconds=ctx.event.data.get("timeout_ms", 600_000)),
    )
    note(ctx, "resumed")
    return None if event is None else event.model_dump()


@client.create_function(fn_id="waits-twice", trigger=inngest.TriggerEvent(event="py/waits-twice"))
async def waits_twice(ctx: inngest.Context) -> object:
    """Two waits side by side, then one more."""
    condition = "async.data.key == event.data.key"
    first, second = await ctx.group.parallel(
        (
            lambda: ctx.step.wait_for_event("one", event="py/answer.one", if_exp=condition, timeout=_LONG),
            lambda: ctx.step.wait_for_event("two", event="py/answer.two", if_exp=condition, timeout=_LONG),
        )
    )
    third = await ctx.step.wait_for_event("three", event="py/answer.one", if_exp=condition, timeout=_LONG)
    return [first.data["n"], second.data["n"], third.data["n"]]


FUNCTIONS = [sleeps, sleeps_until, waits, waits_twice]
