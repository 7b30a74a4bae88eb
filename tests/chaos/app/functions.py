"""The functions of the app, each a row of stages, and what a call of one is answered with.

An answer depends only on the request, as with a real SDK: the first stage whose steps the request does
not carry decides. Steps are named, not hashed, so that a journal can be read.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

APP = "chaos"
GO_EVENT = "chaos/go"
NAP_SECONDS = 1.0
_KEYS = 3

Json = dict[str, Any]


class Limit(NamedTuple):
    """`most` calls at a time of the functions that share it, or of each value of its key."""

    functions: tuple[str, ...]
    most: int
    key: str = ""
    scope: str = "fn"


class Request(NamedTuple):
    """`memos` as in `records.Call`; `may_run` is false where steps have to be planned first."""

    number: int
    n: int
    target: str
    attempt: int
    may_run: bool
    memos: Mapping[str, int]


class Reply(NamedTuple):
    """`kind` and `step` as in `records.Answer`."""

    kind: str
    status: int
    body: object
    step: str = ""


class Stage(ABC):
    """Steps that must all have finished before the function goes on; `worked` are those with code."""

    def __init__(self, *ids: str) -> None:
        self.ids = ids

    @property
    def worked(self) -> tuple[str, ...]:
        return self.ids

    @abstractmethod
    def reply(self, request: Request) -> Reply: ...


class Run(Stage):
    """Steps with code. One alone runs at once; several are planned and then asked for one by one."""

    def reply(self, request: Request) -> Reply:
        missing = [step for step in self.ids if step not in request.memos]
        if len(missing) == 1 and len(self.ids) == 1 and request.may_run:
            return execute(missing[0], request)
        return _ops("plan", [{"id": step, "op": "StepPlanned", "name": step} for step in missing])


class FailsOnce(Run):
    """A step whose first attempt fails."""

    def reply(self, request: Request) -> Reply:
        if request.attempt == 0:
            error = {"name": "Error", "message": "the first attempt fails"}
            return _ops("error", [{"id": self.ids[0], "op": "StepError", "error": error}])
        return super().reply(request)


class _Waiting(Stage):
    """A step that the server finishes."""

    @property
    def worked(self) -> tuple[str, ...]:
        return ()


class Nap(_Waiting):
    def reply(self, request: Request) -> Reply:
        return _ops("nap", [{"id": self.ids[0], "op": "Sleep", "name": f"{NAP_SECONDS:g}s"}])


class WaitForGo(_Waiting):
    def reply(self, request: Request) -> Reply:
        options = {"event": GO_EVENT, "timeout": "1h", "if": "event.data.n == async.data.n"}
        return _ops("wait", [{"id": self.ids[0], "op": "WaitForEvent", "name": GO_EVENT, "opts": options}])


class Invoke(_Waiting):
    def reply(self, request: Request) -> Reply:
        payload = {"data": {"n": request.n}}
        options = {"function_id": f"{APP}-callee", "payload": payload, "timeout": "1h"}
        return _ops("invoke", [{"id": self.ids[0], "op": "InvokeFunction", "opts": options}])


STAGES: dict[str, tuple[Stage, ...]] = {
    "sequence": tuple(Run(f"s{number}") for number in range(5)),
    "audit": (),
    "parallel": (Run("p0", "p1", "p2", "p3", "p4"), Run("after")),
    "sleep": (Run("before"), Nap("nap"), Run("after")),
    "wait": (Run("before"), WaitForGo("go"), Run("after")),
    "invoke": (Run("before"), Invoke("call"), Run("after")),
    "callee": (Run("work"),),
    "flaky": (FailsOnce("twice"), Run("after")),
    "limited": (Run("one"), Run("two")),
    "keyed": (Run("one"), Run("two")),
    "shared": (Run("one"), Run("two")),
}
# "keyed" has two entries: one call at a time of each key, two in all.
LIMITS = (
    Limit(("limited",), 2),
    Limit(("keyed",), 2),
    Limit(("keyed",), 1, "event.data.key"),
    Limit(("shared", "callee"), 2, "'one of us'", "env"),
)

# The event that starts each function. Nobody sends that of the callee, which is only invoked.
TRIGGERS = {name: f"chaos/{name}" for name in STAGES} | {"audit": "chaos/sequence"}
_ALONE = ("parallel", "sleep", "wait", "invoke", "flaky", "limited", "keyed", "shared")
# The events that are sent, with the functions that each starts.
STARTED_BY = {
    "chaos/sequence": ("sequence", "audit"),
    **{f"chaos/{name}": (name,) for name in _ALONE},
    "chaos/nothing": (),
}


def key_of(n: int) -> str:
    """`event.data.key` of the event with that number."""
    return f"key-{n % _KEYS}"


def concurrency_of(function: str) -> list[Json]:
    """As an SDK registers it."""
    return [
        {"limit": limit.most, "scope": limit.scope, **({"key": limit.key} if limit.key else {})}
        for limit in LIMITS
        if function in limit.functions
    ]


def reply_to(function: str, request: Request) -> Reply:
    if request.target:
        return execute(request.target, request)
    for stage in STAGES[function]:
        if not set(stage.ids) <= request.memos.keys():
            return stage.reply(request)
    return Reply("end", 200, output(function, request.n, request.memos))


def output(function: str, n: int, memos: Mapping[str, int]) -> Json:
    """What a run ends with: the number of its event, and of the call that executed each step."""
    return {"n": n, "steps": {step: memos[step] for step in worked_steps(function)}}


def worked_steps(function: str) -> list[str]:
    """The steps of a function whose code the app runs."""
    return [step for stage in STAGES[function] for step in stage.worked]


def execute(step: str, request: Request) -> Reply:
    result = {"n": request.n, "by": request.number}
    return _ops("run", [{"id": step, "op": "StepRun", "name": step, "data": result}], step)


def _ops(kind: str, ops: list[Json], step: str = "") -> Reply:
    return Reply(kind, 206, ops, step)
