"""Functions of the Go double about steps, attempts and errors."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.apps.dialects.wire import StepFailure
from tests.e2e.apps.go.functions import GONE, Context, NoRetryError, RetryAtError, function, on
from tests.e2e.apps.go.tools import Steps


@function("plain", on("go/plain"))
def plain(ctx: Context, step: Steps) -> Any:
    ctx.note("body")
    return {"echo": ctx.data["value"]}


@function("chain", on("go/chain"))
def chain(ctx: Context, step: Steps) -> Any:
    one = step.run("one", ctx.returning("one", 1))
    two = step.run("two", ctx.returning("two", {"sum": one + 1}))
    nothing = step.run("nothing", ctx.returning("nothing"))
    return {"one": one, "two": two, "nothing": nothing}


@function("odd-ids", on("go/odd-ids"))
def odd_ids(ctx: Context, step: Steps) -> Any:
    return [
        step.run("same", ctx.returning("same 0", "first")),
        step.run("same", ctx.returning("same 1", "second")),
        step.run('größe 🚀/\\"<&>', ctx.returning("unicode", "\u2028é<&>\u0001")),
        step.run("", ctx.returning("empty", 1.5)),
    ]


@function("loop", on("go/loop"))
def loop(ctx: Context, step: Steps) -> Any:
    return sum(step.run("turn", ctx.returning("turn", turn)) for turn in range(ctx.data["turns"]))


@function("retried-step", on("go/retried-step"), retries=2)
def retried_step(ctx: Context, step: Steps) -> Any:
    first = step.run("first", ctx.failing("first", 2, "first done"))
    return [first, step.run("second", ctx.failing("second", 1, "second done"))]


@function("retried-function", on("go/retried-function"), retries=2)
def retried_function(ctx: Context, step: Steps) -> Any:
    step.run("step", ctx.failing("step", 1))
    return ctx.failing("body", 2, "done")()


@function("failing", on("go/failing"), retries=1)
def failing(ctx: Context, step: Steps) -> Any:
    ctx.note("body")
    raise ValueError("always broken: é")


@function("step-failing", on("go/step-failing"), retries=1)
def step_failing(ctx: Context, step: Steps) -> Any:
    return step.run("bad", ctx.failing("bad", 99))


@function("caught", on("go/caught"), retries=1)
def caught(ctx: Context, step: Steps) -> Any:
    try:
        step.run("bad", ctx.failing("bad", 99))
    except StepFailure as error:
        return {"caught": error.message, "after": step.run("after", ctx.returning("after", 1))}
    return "not reached"


@function("no-retry-step", on("go/no-retry-step"), retries=3)
def no_retry_step(ctx: Context, step: Steps) -> Any:
    def body() -> None:
        ctx.note("bad")
        raise NoRetryError("give up in the step")

    try:
        step.run("bad", body)
    except StepFailure as error:
        return f"caught: {error.message}"


@function("no-retry", on("go/no-retry"), retries=3)
def no_retry(ctx: Context, step: Steps) -> Any:
    ctx.note("body")
    raise NoRetryError("give up")


@function("retry-at-step", on("go/retry-at-step"), retries=1)
def retry_at_step(ctx: Context, step: Steps) -> Any:
    def body() -> str:
        ctx.note("step")
        if ctx.attempt == 0:
            raise RetryAtError("later", _in_seconds(3))
        return "done"

    return step.run("step", body)


@function("retry-at", on("go/retry-at"), retries=1)
def retry_at(ctx: Context, step: Steps) -> Any:
    ctx.note("body")
    if ctx.attempt == 0:
        raise RetryAtError("later", _in_seconds(3))
    return "done"


@function(GONE, on("go/gone"), retries=0)
def gone(ctx: Context, step: Steps) -> Any:
    """Registered, but no longer in the app when it is called."""


def _in_seconds(seconds: int) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@function("several", on("go/several.one"), on("go/several.two", "event.data.n > 1"), on("go/wild/*"))
def several(ctx: Context, step: Steps) -> Any:
    return ctx.event["name"]


@function("cron", {"cron": "TZ=Europe/Paris 0 5 1 1 *"})
def cron(ctx: Context, step: Steps) -> Any:
    return ctx.data


@function(
    "limited",
    on("go/limited"),
    concurrency={
        "fn": [{"limit": 3, "hash": ""}],
        "step": [{"limit": 2, "key": "event.data.key", "scope": "Fn", "hash": ""}],
    },
    throttle={"limit": 100, "period": "1s", "burst": 1, "key": None},
    priority={"run": "event.data.n"},
    timeouts={"start": "1h", "finish": "1h"},
)
def limited(ctx: Context, step: Steps) -> Any:
    return step.run("step", ctx.returning("step", "limited"))


@function("sized", on("go/sized"), retries=0)
def sized(ctx: Context, step: Steps) -> Any:
    """Steps whose outputs have these sizes; small what it returns."""
    outputs = [
        step.run(f"output {number}", ctx.returning(f"output {number}", "x" * size))
        for number, size in enumerate(ctx.data["sizes"])
    ]
    return [len(output) for output in outputs]
