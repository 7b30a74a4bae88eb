"""Errors of functions and steps, caught and uncaught."""

import datetime

import inngest
from clients import client
from recorder import note, raising, returning


@client.create_function(fn_id="throws", retries=2, trigger=inngest.TriggerEvent(event="py/throws"))
async def throws(ctx: inngest.Context) -> object:
    note(ctx, "body")
    raise ValueError("böse <&>")


@client.create_function(fn_id="throws-once", retries=0, trigger=inngest.TriggerEvent(event="py/throws-once"))
async def throws_once(ctx: inngest.Context) -> object:
    note(ctx, "body")
    raise KeyError("gone")


@client.create_function(fn_id="recovers", retries=2, trigger=inngest.TriggerEvent(event="py/recovers"))
async def recovers(ctx: inngest.Context) -> object:
    note(ctx, "body")
    if ctx.attempt < 2:
        raise ValueError(f"attempt {ctx.attempt}")
    return ctx.attempt


@client.create_function(
    fn_id="non-retriable", retries=5, trigger=inngest.TriggerEvent(event="py/non-retriable")
)
async def non_retriable(ctx: inngest.Context) -> object:
    note(ctx, "body")
    raise inngest.NonRetriableError("never again")


@client.create_function(fn_id="retry-after", retries=1, trigger=inngest.TriggerEvent(event="py/retry-after"))
async def retry_after(ctx: inngest.Context) -> object:
    note(ctx, "body")
    if ctx.attempt == 0:
        raise inngest.RetryAfterError("later", datetime.timedelta(seconds=4))
    return "done"


@client.create_function(
    fn_id="step-retry-after", retries=1, trigger=inngest.TriggerEvent(event="py/step-retry-after")
)
async def step_retry_after(ctx: inngest.Context) -> object:
    async def late() -> object:
        note(ctx, "late")
        if ctx.attempt == 0:
            raise inngest.RetryAfterError("later", datetime.timedelta(seconds=4))
        return "done"

    return await ctx.step.run("late", late)


@client.create_function(fn_id="step-caught", retries=2, trigger=inngest.TriggerEvent(event="py/step-caught"))
async def step_caught(ctx: inngest.Context) -> object:
    try:
        await ctx.step.run("bad", raising(ctx, "bad", ValueError("boom")))
    except inngest.StepError as error:
        after = await ctx.step.run("after", returning(ctx, "after", "went on"))
        return {"name": error.name, "message": error.message, "after": after}
    return None


@client.create_function(
    fn_id="step-uncaught", retries=1, trigger=inngest.TriggerEvent(event="py/step-uncaught")
)
async def step_uncaught(ctx: inngest.Context) -> object:
    note(ctx, "body")
    return await ctx.step.run("bad", raising(ctx, "bad", LookupError("nothing there")))


@client.create_function(
    fn_id="step-recovers", retries=2, trigger=inngest.TriggerEvent(event="py/step-recovers")
)
async def step_recovers(ctx: inngest.Context) -> object:
    async def flaky() -> object:
        note(ctx, "flaky")
        if ctx.attempt < 2:
            raise ValueError(f"attempt {ctx.attempt}")
        return ctx.attempt

    await ctx.step.run("before", returning(ctx, "before", 1))
    result = await ctx.step.run("flaky", flaky)
    note(ctx, "end")
    if ctx.attempt < 2:
        raise ValueError("the code after a step has attempts of its own")
    return result


@client.create_function(
    fn_id="step-non-retriable", retries=5, trigger=inngest.TriggerEvent(event="py/step-non-retriable")
)
async def step_non_retriable(ctx: inngest.Context) -> object:
    return await ctx.step.run("bad", raising(ctx, "bad", inngest.NonRetriableError("no use")))


@client.create_function(
    fn_id="unserialisable", retries=1, trigger=inngest.TriggerEvent(event="py/unserialisable")
)
async def unserialisable(ctx: inngest.Context) -> object:
    note(ctx, "body")
    return {"when": datetime.datetime.now(tz=datetime.UTC)}


FUNCTIONS = [
    throws,
    throws_once,
    recovers,
    non_retriable,
    retry_after,
    step_retry_after,
    step_caught,
    step_uncaught,
    step_recovers,
    step_non_retriable,
    unserialisable,
]
