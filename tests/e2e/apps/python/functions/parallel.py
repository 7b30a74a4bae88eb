"""`group.parallel` in its modes."""

import asyncio
import datetime

import inngest
from clients import client
from recorder import note, raising, recorder, returning

_LONGEST_WAIT_SECONDS = 10


@client.create_function(fn_id="parallel", trigger=inngest.TriggerEvent(event="py/parallel"))
async def parallel(ctx: inngest.Context) -> object:
    results = await ctx.group.parallel(
        tuple(
            lambda name=name: ctx.step.run(name, returning(ctx, name, name.upper()))
            for name in ("a", "b", "c")
        )
    )
    after = await ctx.step.run("after", returning(ctx, "after", "z"))
    return [*results, after]


@client.create_function(fn_id="wide", trigger=inngest.TriggerEvent(event="py/wide"))
async def wide(ctx: inngest.Context) -> object:
    names = [f"w{number}" for number in range(ctx.event.data["width"])]
    results = await ctx.group.parallel(
        tuple(lambda name=name: ctx.step.run(name, returning(ctx, name, name)) for name in names)
    )
    return list(results)


def _sequences(ctx: inngest.Context, slow_waits_for: str) -> tuple:
    """Two branches of two steps; the first step of the second one waits until `slow_waits_for` ran."""

    async def slow() -> object:
        note(ctx, "b1-start")
        key = str(ctx.event.data["key"])
        deadline = asyncio.get_running_loop().time() + _LONGEST_WAIT_SECONDS
        while not _has_run(key, slow_waits_for):
            if asyncio.get_running_loop().time() > deadline:
                return f"{slow_waits_for} never ran"
            await asyncio.sleep(0.02)
        note(ctx, "b1-end")
        return "b1"

    async def first() -> object:
        one = await ctx.step.run("a1", returning(ctx, "a1", "a1"))
        two = await ctx.step.run("a2", returning(ctx, "a2", "a2"))
        return [one, two]

    async def second() -> object:
        one = await ctx.step.run("b1", slow)
        two = await ctx.step.run("b2", returning(ctx, "b2", "b2"))
        return [one, two]

    return (first, second)


def _has_run(key: str, label: str) -> bool:
    return any(call["key"] == key and call["label"] == label for call in recorder.calls())


@client.create_function(fn_id="sequences", trigger=inngest.TriggerEvent(event="py/sequences"))
async def sequences(ctx: inngest.Context) -> object:
    return list(await ctx.group.parallel(_sequences(ctx, slow_waits_for="a1")))


@client.create_function(fn_id="race", trigger=inngest.TriggerEvent(event="py/race"))
async def race(ctx: inngest.Context) -> object:
    """The first branch reaches its second step while the other one still runs its first."""
    branches = _sequences(ctx, slow_waits_for="a2")
    return list(await ctx.group.parallel(branches, parallel_mode=inngest.ParallelMode.RACE))


@client.create_function(
    fn_id="branch-caught", retries=1, trigger=inngest.TriggerEvent(event="py/branch-caught")
)
async def branch_caught(ctx: inngest.Context) -> object:
    async def safe() -> object:
        try:
            return await ctx.step.run("bad", raising(ctx, "bad", ValueError("branch")))
        except inngest.StepError as error:
            return f"caught {error.name}: {error.message}"

    return list(await ctx.group.parallel((safe, lambda: ctx.step.run("good", returning(ctx, "good", 1)))))


@client.create_function(
    fn_id="branch-fails", retries=1, trigger=inngest.TriggerEvent(event="py/branch-fails")
)
async def branch_fails(ctx: inngest.Context) -> object:
    return list(
        await ctx.group.parallel(
            (
                lambda: ctx.step.run("good", returning(ctx, "good", 1)),
                lambda: ctx.step.run("bad", raising(ctx, "bad", ValueError("branch"))),
            )
        )
    )


@client.create_function(fn_id="mixed", trigger=inngest.TriggerEvent(event="py/mixed"))
async def mixed(ctx: inngest.Context) -> object:
    """A step, a sleep, a wait and an invocation side by side; the step's event ends the wait."""
    key = str(ctx.event.data["key"])
    run, slept, waited, invoked, _ = await ctx.group.parallel(
        (
            lambda: ctx.step.run("run", returning(ctx, "run", "ran")),
            lambda: ctx.step.sleep("sleep", datetime.timedelta(milliseconds=300)),
            lambda: ctx.step.wait_for_event(
                "wait",
                event="py/mixed.answer",
                if_exp="async.data.key == event.data.key",
                timeout=datetime.timedelta(seconds=20),
            ),
            lambda: ctx.step.invoke_by_id("invoke", function_id="plain", data={"key": key, "value": 5}),
            lambda: ctx.step.send_event("send", inngest.Event(name="py/mixed.answer", data={"key": key})),
        )
    )
    return [run, slept, waited.name, invoked]


FUNCTIONS = [parallel, wide, sequences, race, branch_caught, branch_fails, mixed]
