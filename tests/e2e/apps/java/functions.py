"""What a function of the Kotlin double is: its configuration as Kotlin sends it, and its errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.apps.dialects.recorder import recorder
from tests.e2e.apps.dialects.wire import CallRequest, Json
from tests.e2e.apps.java import settings

DEFAULT_RETRIES = 3


class NonRetriableError(Exception):
    """Ends the run, also from inside a step."""


class RetryAfterError(Exception):
    def __init__(self, message: str, retry_after: str) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Context:
    """`FunctionContext`. Kotlin decodes `ctx.env` and `ctx.fn_id` and fails where one is missing."""

    def __init__(self, call: CallRequest) -> None:
        self.key = call.key
        self.event = call.event
        self.data: Json = call.event["data"]
        self.run_id: str = call.context["run_id"]
        self.fn_id: str = call.context["fn_id"]
        self.env: str = call.context["env"]
        self.attempt: int = call.context["attempt"]

    def note(self, label: str, **extra: Any) -> None:
        recorder.add(self.key, label, attempt=self.attempt, run_id=self.run_id, **extra)

    def returning(self, label: str, value: Any = None) -> Callable[[], Any]:
        """A step body that records itself."""

        def body() -> Any:
            self.note(label)
            return value

        return body

    def failing(self, label: str, times: int, value: Any = None) -> Callable[[], Any]:
        """A step body that fails its first `times` attempts."""

        def body() -> Any:
            self.note(label)
            if self.attempt < times:
                raise ValueError(f"{label} failed in attempt {self.attempt}")
            return value

        return body


Body = Callable[[Context, Any], Any]


@dataclass
class Function:
    id: str
    triggers: list[Json]
    body: Body
    name: str
    retries: int = DEFAULT_RETRIES
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        return f"{settings.APP_ID}-{self.id}"

    def configuration(self, app_url: str) -> Json:
        """Members without a value are left out."""
        step = {
            "id": "step",
            "name": "step",
            "retries": {"attempts": self.retries},
            "runtime": {"type": "http", "url": f"{app_url}?fnId={self.slug}&stepId=step"},
        }
        return {
            "id": self.slug,
            "name": self.name,
            "triggers": self.triggers,
            "steps": {"step": step},
            **self.options,
        }


FUNCTIONS: list[Function] = []


def on(event: str, expression: str | None = None) -> Json:
    """A trigger. Each app has events of its own, so that several run on one platform."""
    event = event.replace("java/", f"{settings.APP_ID}/", 1)
    return {"event": event, **({"expression": expression} if expression else {})}


def function(
    function_id: str,
    *triggers: Json,
    retries: int = DEFAULT_RETRIES,
    on_failure: Body | None = None,
    **options: Any,
) -> Callable[[Body], Body]:
    """Add a function, and the companion that handles its failure, to the app."""

    def register(body: Body) -> Body:
        made = Function(function_id, list(triggers), body, function_id, retries, options)
        FUNCTIONS.append(made)
        if on_failure is not None:
            FUNCTIONS.append(_companion(made, on_failure))
        return body

    return register


def _companion(failing: Function, handler: Body) -> Function:
    expression = f"event.data.function_id == '{failing.slug}'"
    trigger = {"event": "inngest/function.failed", "expression": expression}
    return Function(f"{failing.id}-failure", [trigger], handler, f"{failing.id} (failure)")
