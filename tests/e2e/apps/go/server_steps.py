"""Functions of the Go double about what the server does for a run."""

import json
from typing import Any

from tests.e2e.apps.dialects import serving
from tests.e2e.apps.dialects.wire import StepFailure
from tests.e2e.apps.go import settings
from tests.e2e.apps.go.functions import Context, function, on
from tests.e2e.apps.go.tools import Steps


def _outside(path: str) -> str:
    return serving.app_url().replace(serving.SERVE_PATH, f"/outside/{path}")


@function("sleeping", on("go/sleeping"))
def sleeping(ctx: Context, step: Steps) -> Any:
    step.run("before", ctx.returning("before"))
    step.sleep("nap", ctx.data["duration"])
    return step.run("after", ctx.returning("after", "awake"))


@function("waiting", on("go/waiting"))
def waiting(ctx: Context, step: Steps) -> Any:
    found = step.wait_for_event("wait", "go/awaited", ctx.data["timeout"], "event.data.key == async.data.key")
    ctx.note("woken")
    return {"event": found}


@function("signalled", on("go/signalled"))
def signalled(ctx: Context, step: Steps) -> Any:
    return {"signal": step.wait_for_signal("wait", f"signal-{ctx.key}", ctx.data["timeout"])}


@function("callee")
def callee(ctx: Context, step: Steps) -> Any:
    ctx.note("callee")
    return step.run("double", lambda: {"doubled": ctx.data["n"] * 2})


@function("failing-callee", retries=0)
def failing_callee(ctx: Context, step: Steps) -> Any:
    raise ValueError("the callee is broken")


@function("slow-callee")
def slow_callee(ctx: Context, step: Steps) -> Any:
    step.sleep("long", "1h")


@function("invoking", on("go/invoking"))
def invoking(ctx: Context, step: Steps) -> Any:
    """`event.data.callee` is called by its slug; the answer tells what came of it."""
    try:
        slug = f"{settings.APP_ID}-{ctx.data['callee']}"
        value = step.invoke("call", slug, {"key": ctx.key, "n": 21}, ctx.data.get("timeout"))
    except StepFailure as error:
        return {"name": error.name, "message": error.message}
    return {"value": value}


@function("parallel", on("go/parallel"))
def parallel(ctx: Context, step: Steps) -> Any:
    def sequence() -> list[Any]:
        return [step.run("b1", ctx.returning("b1", "b1")), step.run("b2", ctx.returning("b2", "b2"))]

    results = step.parallel(
        lambda: step.run("a", ctx.returning("a", "a")),
        sequence,
        lambda: step.sleep("nap", "100ms"),
    )
    return [results, step.run("after", ctx.returning("after", "after"))]


@function("parallel-failing", on("go/parallel-failing"), retries=1)
def parallel_failing(ctx: Context, step: Steps) -> Any:
    good, bad = step.parallel(
        lambda: step.run("good", ctx.returning("good", 1)),
        lambda: step.run("bad", ctx.failing("bad", 99)),
    )
    return {"good": good, "bad": bad.message}


@function("fetching", on("go/fetching"))
def fetching(ctx: Context, step: Steps) -> Any:
    answer = step.fetch("fetch", _outside(f"fetch/{ctx.data['status']}"), '{"q": 1}')
    return {"status": answer["status_code"], "header": answer["headers"]["X-Outside"], "body": answer["body"]}


@function("inferring", on("go/inferring"), retries=0)
def inferring(ctx: Context, step: Steps) -> Any:
    try:
        return step.infer("infer", _outside(f"infer/{ctx.data['status']}"), "sk-secret", {"model": "m"})
    except StepFailure as error:
        return {"name": error.name, "message": error.message}


@function("sending", on("go/sending"))
def sending(ctx: Context, step: Steps) -> Any:
    one = step.send("one", {"name": f"{settings.APP_ID}/sent", "data": {"key": ctx.key, "n": 1}})
    many = step.send_many(
        "many", [{"name": f"{settings.APP_ID}/sent", "data": {"key": ctx.key, "n": n}} for n in (2, 3)]
    )
    return [one, *many]


@function("sent", on("go/sent"))
def sent(ctx: Context, step: Steps) -> Any:
    ctx.note(f"sent {ctx.data['n']}")


@function(
    "cancellable",
    on("go/cancellable"),
    cancel=[{"event": "go/cancel", "if": "event.data.key == async.data.key"}],
)
def cancellable(ctx: Context, step: Steps) -> Any:
    step.run("started", ctx.returning("started"))
    step.sleep("long", "1h")
    ctx.note("not reached")


@function(
    "ended", on("inngest/function.cancelled", f"event.data.function_id == '{settings.APP_ID}-cancellable'")
)
def ended(ctx: Context, step: Steps) -> Any:
    """An internal event's `data` has no `key`: the original event has it."""
    ctx.key = ctx.data["event"]["data"]["key"]
    ctx.note("cancelled", data=json.loads(json.dumps(ctx.data)))


@function(
    "checkpointed", on("go/checkpointed"), retries=1, checkpoint={"batch_steps": 2, "batch_interval": "3s"}
)
def checkpointed(ctx: Context, step: Steps) -> Any:
    values = [step.run(f"step {n}", ctx.returning(f"step {n}", n)) for n in range(5)]
    if ctx.data.get("sleeps"):
        step.sleep("nap", "50ms")
        values.append(step.run("late", ctx.returning("late", "late")))
    return values


@function("checkpointed-failing", on("go/checkpointed-failing"), retries=1, checkpoint={"batch_steps": 1})
def checkpointed_failing(ctx: Context, step: Steps) -> Any:
    one = step.run("one", ctx.returning("one", 1))
    return [one, step.run("two", ctx.failing("two", 1, 2)), step.run("three", ctx.returning("three", 3))]
