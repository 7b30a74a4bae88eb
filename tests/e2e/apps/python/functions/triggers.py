"""What starts a run: several triggers, wildcards, expressions, schedules; and what a run sends."""

import inngest
from clients import client
from recorder import note


@client.create_function(
    fn_id="several",
    trigger=[
        inngest.TriggerEvent(event="py/several.one"),
        inngest.TriggerEvent(event="py/several.two"),
        inngest.TriggerEvent(event="py/several.*"),
    ],
)
async def several(ctx: inngest.Context) -> object:
    note(ctx, "body")
    return ctx.event.name


@client.create_function(fn_id="wildcard", trigger=inngest.TriggerEvent(event="py/wild/*"))
async def wildcard(ctx: inngest.Context) -> object:
    note(ctx, "body")
    return ctx.event.name


@client.create_function(
    fn_id="selective",
    trigger=inngest.TriggerEvent(
        event="py/selective", expression="event.data.amount >= 100 && event.data.tags.exists(t, t == 'vip')"
    ),
)
async def selective(ctx: inngest.Context) -> object:
    note(ctx, "body")
    return ctx.event.data["amount"]


@client.create_function(fn_id="nightly", trigger=inngest.TriggerCron(cron="TZ=Europe/Paris 30 4 29 2 *"))
async def nightly(ctx: inngest.Context) -> object:
    return ctx.event.model_dump()


@client.create_function(fn_id="sends", retries=0, trigger=inngest.TriggerEvent(event="py/sends"))
async def sends(ctx: inngest.Context) -> object:
    """Sends the events that `data.send` describes; answers their ids."""
    note(ctx, "body")
    events = [inngest.Event(**event) for event in ctx.event.data["send"]]
    return await ctx.step.send_event("send", events)


FUNCTIONS = [several, wildcard, selective, nightly, sends]
