"""`step.invoke`: the other function answers, fails, is cancelled, is late or is not there."""

import datetime

import inngest
from clients import client
from recorder import note


@client.create_function(fn_id="callee", trigger=inngest.TriggerEvent(event="py/callee"))
async def callee(ctx: inngest.Context) -> object:
    note(ctx, "callee", event=ctx.event.model_dump())
    return {"got": ctx.event.data.get("value")}


@client.create_function(
    fn_id="failing-callee", retries=1, trigger=inngest.TriggerEvent(event="py/failing-callee")
)
async def failing_callee(ctx: inngest.Context) -> object:
    note(ctx, "failing-callee")
    raise ValueError("callee says no")


@client.create_function(fn_id="slow-callee", trigger=inngest.TriggerEvent(event="py/slow-callee"))
async def slow_callee(ctx: inngest.Context) -> object:
    note(ctx, "slow-callee")
    await ctx.step.sleep("long", datetime.timedelta(minutes=10))
    return "late"


@client.create_function(fn_id="invokes-object", trigger=inngest.TriggerEvent(event="py/invokes-object"))
async def invokes_object(ctx: inngest.Context) -> object:
    return await ctx.step.invoke("call", function=callee, data=dict(ctx.event.data))


@client.create_function(fn_id="invokes", retries=1, trigger=inngest.TriggerEvent(event="py/invokes"))
async def invokes(ctx: inngest.Context) -> object:
    """Invokes `data.function` of `data.app` and answers what came of it."""
    timeout_ms = ctx.event.data.get("timeout_ms")
    try:
        result = await ctx.step.invoke_by_id(
            "call",
            app_id=ctx.event.data.get("app"),
            function_id=str(ctx.event.data["function"]),
            data={"key": ctx.event.data["key"], "value": ctx.event.data.get("value")},
            timeout=datetime.timedelta(milliseconds=timeout_ms) if timeout_ms else None,
        )
    except inngest.StepError as error:
        return {"error": {"name": error.name, "message": error.message}}
    return {"result": result}


FUNCTIONS = [callee, failing_callee, slow_callee, invokes_object, invokes]
