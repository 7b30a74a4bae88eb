"""What a function of the Go double is: its configuration as Go sends it, its context, its errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.e2e.apps.dialects.recorder import recorder
from tests.e2e.apps.dialects.wire import CallRequest, Json
from tests.e2e.apps.go import settings


class NoRetryError(Exception):
    """Ends a step or a function at once."""


class RetryAtError(Exception):
    def __init__(self, message: str, at: datetime) -> None:
        super().__init__(message)
        self.at = at


class Context:
    """`inngestgo.Input`: the events of the run, and how often this job was tried."""

    def __init__(self, call: CallRequest) -> None:
        self.key = call.key
        self.event = call.event
        self.events: list[Json] = call.body["events"]
        self.data: Json = call.event["data"]
        self.attempt: int = call.context["attempt"]
        self.run_id: str = call.context["run_id"]

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


@dataclass
class Function:
    id: str
    triggers: list[Json]
    body: Callable[[Context, Any], Any]
    retries: int | None = None
    checkpoint: Json | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def configuration(self, app_id: str, app_url: str) -> Json:
        """As Go writes it: `Singleton`, nulls, no `runtime.type`, and `step=step` in the URL."""
        slug = f"{app_id}-{self.id}"
        retries = None if self.retries is None else {"attempts": self.retries}
        step = {
            "id": "step",
            "name": self.id,
            "runtime": {"url": f"{app_url}?fnId={slug}&step=step"},
            "retries": retries,
        }
        return {
            "id": slug,
            "name": self.id,
            "priority": None,
            "concurrency": None,
            "idempotency": None,
            "retries": self.retries,
            "cancel": None,
            "debounce": None,
            "Singleton": None,
            "triggers": self.triggers,
            "steps": {"step": step},
            **({"checkpoint": self.checkpoint} if self.checkpoint else {}),
            **self.options,
        }


# A function that is registered, but that calls do not find.
GONE = "gone"

FUNCTIONS: list[Function] = []


def on(event: str, expression: str | None = None) -> Json:
    """A trigger. Each app has events of its own, so that several run on one platform."""
    event = event.replace("go/", f"{settings.APP_ID}/", 1)
    return {"event": event, **({"expression": expression} if expression else {})}


def function(
    function_id: str,
    *triggers: Json,
    retries: int | None = None,
    checkpoint: Json | None = None,
    **options: Any,
) -> Callable[[Callable[[Context, Any], Any]], Callable[[Context, Any], Any]]:
    """Add a function to the app; `options` replace members of its configuration."""

    def register(body: Callable[[Context, Any], Any]) -> Callable[[Context, Any], Any]:
        FUNCTIONS.append(Function(function_id, list(triggers), body, retries, checkpoint, options))
        return body

    return register
