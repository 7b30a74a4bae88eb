"""Limits of one function: steps at once, runs per key."""

import asyncio

import inngest
from clients import client
from recorder import note

_active: dict[str, int] = {}


@client.create_function(
    fn_id="limited",
    concurrency=[inngest.Concurrency(limit=2)],
    trigger=inngest.TriggerEvent(event="py/limited"),
)
async def limited(ctx: inngest.Context) -> object:
    async def work() -> int:
        return await _counted(ctx, str(ctx.event.data["key"]))

    first = await ctx.step.run("first", work)
    second = await ctx.step.run("second", work)
    return [first, second]


async def _counted(ctx: inngest.Context, group: str) -> int:
    """How many bodies of the group ran at the start of this one."""
    _active[group] = _active.get(group, 0) + 1
    seen = _active[group]
    note(ctx, "work", active=seen)
    await asyncio.sleep(0.05)
    _active[group] -= 1
    return seen


@client.create_function(
    fn_id="exclusive",
    concurrency=[inngest.Concurrency(limit=1)],
    trigger=inngest.TriggerEvent(event="py/exclusive"),
)
async def exclusive(ctx: inngest.Context) -> object:
    async def occupy() -> str:
        note(ctx, "occupied", n=ctx.event.data["n"])
        await asyncio.sleep(ctx.event.data["seconds"])
        return "done"

    result = await ctx.step.run("occupy", occupy)
    note(ctx, "after", n=ctx.event.data["n"])
    return result


@client.create_function(
    fn_id="once-per-order",
    idempotency="event.data.order",
    trigger=inngest.TriggerEvent(event="py/once-per-order"),
)
async def once_per_order(ctx: inngest.Context) -> object:
    note(ctx, "body", n=ctx.event.data["n"])
    return ctx.event.data["n"]


FUNCTIONS = [limited, exclusive, once_per_order]
