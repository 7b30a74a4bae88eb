"""The functions of the Kotlin double's app."""

from typing import Any

from tests.e2e.apps.dialects.wire import StepFailure
from tests.e2e.apps.java import settings
from tests.e2e.apps.java.functions import Context, NonRetriableError, RetryAfterError, function, on
from tests.e2e.apps.java.tools import Step


@function("plain", on("java/plain"))
def plain(ctx: Context, step: Step) -> Any:
    ctx.note("body", env=ctx.env, fn_id=ctx.fn_id)
    return {"echo": ctx.data["value"]}


@function("chain", on("java/chain"))
def chain(ctx: Context, step: Step) -> Any:
    one = step.run("one", ctx.returning("one", 1))
    again = step.run("one", ctx.returning("one again", "größe"))
    nothing = step.run("nothing", ctx.returning("nothing"))
    return [one, again, nothing]


@function("sleeping", on("java/sleeping"))
def sleeping(ctx: Context, step: Step) -> Any:
    step.run("before", ctx.returning("before"))
    step.sleep("nap", "300ms")
    return step.run("after", ctx.returning("after", "awake"))


@function("waiting", on("java/waiting"))
def waiting(ctx: Context, step: Step) -> Any:
    expression = "event.data.key == async.data.key"
    return {"data": step.wait_for_event("wait", "java/awaited", ctx.data["timeout"], expression)}


@function("callee", retries=0)
def callee(ctx: Context, step: Step) -> Any:
    if ctx.data["n"] < 0:
        raise ValueError("n is negative")
    return {"doubled": ctx.data["n"] * 2}


@function("invoking", on("java/invoking"))
def invoking(ctx: Context, step: Step) -> Any:
    try:
        return step.invoke("call", settings.APP_ID, "callee", {"key": ctx.key, "n": ctx.data["n"]}, "1h")
    except StepFailure as error:
        return {"name": error.name, "message": error.message}


@function("sending", on("java/sending"))
def sending(ctx: Context, step: Step) -> Any:
    events = [{"name": f"{settings.APP_ID}/sent", "data": {"key": ctx.key, "n": n}} for n in (1, 2)]
    return step.send_event("send", *events)


@function("sent", on("java/sent"))
def sent(ctx: Context, step: Step) -> Any:
    ctx.note(f"sent {ctx.data['n']}")


@function("retried", on("java/retried"), retries=2)
def retried(ctx: Context, step: Step) -> Any:
    first = step.run("first", ctx.failing("first", 2, "first done"))
    return [first, ctx.failing("body", 1, "body done")()]


@function("step-failing", on("java/step-failing"), retries=1)
def step_failing(ctx: Context, step: Step) -> Any:
    """Kotlin says `StepError` on the last attempt too: the server makes it final."""
    try:
        step.run("bad", ctx.failing("bad", 99))
    except StepFailure as error:
        return {"name": error.name, "message": error.message}


@function("non-retriable", on("java/non-retriable"))
def non_retriable(ctx: Context, step: Step) -> Any:
    def body() -> None:
        ctx.note("step")
        raise NonRetriableError("give up in the step")

    step.run("step", body)


@function("retry-after", on("java/retry-after"))
def retry_after(ctx: Context, step: Step) -> Any:
    def body() -> str:
        ctx.note("step")
        if ctx.attempt == 0:
            raise RetryAfterError("later", "2")
        return "done"

    return step.run("step", body)


def handle_failure(ctx: Context, step: Step) -> Any:
    """The internal event's `data` has no `key`: the original event has it."""
    ctx.key = ctx.data["event"]["data"]["key"]
    ctx.note("failure", data=ctx.data)
    return "handled"


@function("failing", on("java/failing"), retries=0, on_failure=handle_failure)
def failing(ctx: Context, step: Step) -> Any:
    raise ValueError("always broken")


@function(
    "cancellable",
    on("java/cancellable"),
    cancel=[{"event": f"{settings.APP_ID}/cancel", "if": "event.data.key == async.data.key"}],
)
def cancellable(ctx: Context, step: Step) -> Any:
    step.run("started", ctx.returning("started"))
    step.sleep("long", "1h")
    ctx.note("not reached")


@function(
    "configured",
    on("java/configured", "event.data.n > 1"),
    concurrency=[
        {"limit": 5, "key": "event.data.key", "scope": "fn"},
        {"limit": 50, "key": "'all'", "scope": "env"},
    ],
    throttle={"limit": 100, "period": "1s", "burst": 10},
    priority={"run": "event.data.n"},
)
def configured(ctx: Context, step: Step) -> Any:
    return step.run("step", ctx.returning("step", "configured"))


@function("limited", on("java/limited"), rateLimit={"limit": 1, "period": "1h", "key": "event.data.key"})
def limited(ctx: Context, step: Step) -> Any:
    ctx.note("body")


@function("debounced", on("java/debounced"), debounce={"period": "1s", "timeout": "5s"})
def debounced(ctx: Context, step: Step) -> Any:
    ctx.note("body")


@function("batched", on("java/batched"), batchEvents={"maxSize": 2, "timeout": "1s"})
def batched(ctx: Context, step: Step) -> Any:
    ctx.note("body")
