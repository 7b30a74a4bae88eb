"""A function with a middleware that changes what goes in and out and records its hooks."""

import inngest
from clients import client
from recorder import note, recorder, returning


class Hooks(inngest.Middleware):
    _key = ""

    async def transform_input(self, ctx, function, steps) -> None:
        self._key = str(ctx.event.data["key"])
        self._add("transform_input")
        ctx.event.data = {**ctx.event.data, "injected": "by middleware"}

    async def before_execution(self) -> None:
        self._add("before_execution")

    async def after_execution(self) -> None:
        self._add("after_execution")

    async def before_response(self) -> None:
        self._add("before_response")

    async def before_send_events(self, events: list[inngest.Event]) -> None:
        self._add("before_send_events")

    async def after_send_events(self, result: inngest.SendEventsResult) -> None:
        self._add("after_send_events")

    async def transform_output(self, result: inngest.TransformOutputResult) -> None:
        self._add("transform_output")
        if result.has_output() and isinstance(result.output, str):
            result.output = f"<{result.output}>"

    def _add(self, hook: str) -> None:
        recorder.add(self._key, hook)


@client.create_function(fn_id="hooked", middleware=[Hooks], trigger=inngest.TriggerEvent(event="py/hooked"))
async def hooked(ctx: inngest.Context) -> object:
    injected = ctx.event.data["injected"]
    stepped = await ctx.step.run("step", returning(ctx, "step", "inner"))
    await ctx.step.send_event(
        "send", inngest.Event(name="py/hooked.sent", data={"key": ctx.event.data["key"]})
    )
    note(ctx, "end")
    return f"{injected} {stepped}"


FUNCTIONS = [hooked]
