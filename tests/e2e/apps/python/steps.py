"""Functions about `step.run` and what it memoises."""

import inngest
from clients import client
from recorder import note, returning


@client.create_function(fn_id="plain", trigger=inngest.TriggerEvent(event="py/plain"))
async def plain(ctx: inngest.Context) -> object:
    note(ctx, "body")
    return {"echo": ctx.event.data["value"]}


@client.create_function(fn_id="chain", trigger=inngest.TriggerEvent(event="py/chain"))
async def chain(ctx: inngest.Context) -> object:
    note(ctx, "body")
    one = await ctx.step.run("one", returning(ctx, "one", 1))
    two = await ctx.step.run("two", returning(ctx, "two", {"sum": one + 1}))
    three = await ctx.step.run("three", returning(ctx, "three", [one, two["sum"], 3]))
    return {"one": one, "two": two, "three": three}


FUNCTIONS = [plain, chain]
