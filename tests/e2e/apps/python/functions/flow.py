"""Concurrency of one function, as the app itself counts it."""

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


FUNCTIONS = [limited]
