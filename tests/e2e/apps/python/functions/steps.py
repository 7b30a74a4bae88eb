"""`step.run`: what runs, what is memoised, which values and ids survive."""

import datetime

import inngest
from clients import client
from recorder import note, returning


@client.create_function(fn_id="plain", trigger=inngest.TriggerEvent(event="py/plain"))
async def plain(ctx: inngest.Context) -> object:
    note(ctx, "body", event=ctx.event.model_dump(), run=ctx.run_id)
    return ctx.event.data.get("value")


@client.create_function(fn_id="plain-sync", trigger=inngest.TriggerEvent(event="py/plain-sync"))
def plain_sync(ctx: inngest.ContextSync) -> object:
    """Not a coroutine: the SDK runs it in a thread."""

    def double() -> object:
        note(ctx, "double")
        return ctx.event.data["value"] * 2

    return ctx.step.run("double", double)


@client.create_function(fn_id="chain", trigger=inngest.TriggerEvent(event="py/chain"))
async def chain(ctx: inngest.Context) -> object:
    note(ctx, "body")
    one = await ctx.step.run("one", returning(ctx, "one", 1))
    two = await ctx.step.run("two", returning(ctx, "two", {"sum": one + 1}))
    three = await ctx.step.run("three", returning(ctx, "three", [one, two["sum"], 3]))
    return {"one": one, "two": two, "three": three}


@client.create_function(fn_id="duplicates", trigger=inngest.TriggerEvent(event="py/duplicates"))
async def duplicates(ctx: inngest.Context) -> object:
    """One id, used three times, by a step, a sleep and a step."""
    first = await ctx.step.run("same", returning(ctx, "first", "a"))
    await ctx.step.sleep("same", datetime.timedelta(milliseconds=1))
    second = await ctx.step.run("same", returning(ctx, "second", "b"))
    return [first, second]


@client.create_function(fn_id="nested", retries=3, trigger=inngest.TriggerEvent(event="py/nested"))
async def nested(ctx: inngest.Context) -> object:
    async def outer() -> object:
        note(ctx, "outer")
        return await ctx.step.run("inner", returning(ctx, "inner", 1))

    return await ctx.step.run("outer", outer)


@client.create_function(fn_id="loop", trigger=inngest.TriggerEvent(event="py/loop"))
async def loop(ctx: inngest.Context) -> object:
    total = 0
    for number in range(ctx.event.data["count"]):
        total += await ctx.step.run(f"step-{number}", returning(ctx, f"step-{number}", number))
    return total


@client.create_function(fn_id="values", trigger=inngest.TriggerEvent(event="py/values"))
async def values(ctx: inngest.Context) -> object:
    """Each value goes through a step of its own, and all of them through the function's result."""
    results = []
    for position, value in enumerate(ctx.event.data["values"]):
        results.append(await ctx.step.run(f"value-{position}", returning(ctx, f"value-{position}", value)))
    return results


@client.create_function(fn_id="odd-ids", trigger=inngest.TriggerEvent(event="py/odd-ids"))
async def odd_ids(ctx: inngest.Context) -> object:
    return [await ctx.step.run(name, returning(ctx, name, name)) for name in ctx.event.data["names"]]


@client.create_function(fn_id="large", trigger=inngest.TriggerEvent(event="py/large"))
async def large(ctx: inngest.Context) -> object:
    """Writes `count` outputs of `size` characters: more than a call request may carry."""
    sizes = []
    for number in range(ctx.event.data["count"]):
        letter = chr(ord("a") + number)
        text = await ctx.step.run(letter, returning(ctx, letter, letter * ctx.event.data["size"]))
        sizes.append([text[:1], len(text)])
    return {"sizes": sizes, "events": [event.name for event in ctx.events], "data": dict(ctx.events[0].data)}


FUNCTIONS = [plain, plain_sync, chain, duplicates, nested, loop, values, odd_ids, large]
