"""Stored outputs as results and errors (spec 03, 6.9)."""

from dataclasses import dataclass

import msgspec

from apps.runs.choices import RunStatus, StepStatus
from apps.runs.models import Run, StepAttempt, StepPayload


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """Resolves `StepError`."""

    message: str
    name: str | None = None
    stack: str | None = None
    cause: object = None


@dataclass(frozen=True, slots=True)
class SpanOutput:
    """Resolves `RunTraceSpanOutput`; at most one of `data` and `error` is set."""

    input: str | None = None
    data: str | None = None
    error: ErrorFacts | None = None


def error_facts(text: str) -> ErrorFacts:
    """An error object without a message, or what is no object at all, is kept whole as the stack."""
    value = unwrapped_error(text)
    if not isinstance(value, dict) or not isinstance(value.get("message"), str):
        return ErrorFacts(message="", stack=text)
    name, stack = value.get("name"), value.get("stack")
    return ErrorFacts(
        message=value["message"],
        name=name if isinstance(name, str) else None,
        stack=stack if isinstance(stack, str) else None,
        cause=value.get("cause"),
    )


def unwrapped_error(text: str) -> object:
    """The error of a run's output, which errors of the engine itself wrap once more: {"error": {...}}."""
    value = parsed(text)
    if isinstance(value, dict) and value.keys() == {"error"} and isinstance(value["error"], dict):
        return value["error"]
    return value


def parsed(text: str) -> object:
    """Decoded JSON; text that is none (a body that the app sent) as it is."""
    try:
        value: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    return value


def run_outcome(run: Run, output: str | None, input_: str | None = None) -> SpanOutput:
    """The result or error of a run; neither while it goes on and after a cancellation."""
    if run.status in (RunStatus.FAILED, RunStatus.OVERFLOWED):
        return SpanOutput(input_, error=error_facts(output or ""))
    return SpanOutput(input_, data=output)


def step_outcome(attempt: StepAttempt, payload: StepPayload | None) -> SpanOutput:
    """A wait that timed out has the result `null`."""
    input_ = payload.input if payload else None
    if payload is not None and payload.error is not None:
        return SpanOutput(input_, error=error_facts(payload.error))
    output = payload.output if payload else None
    if output is None and attempt.status in (StepStatus.COMPLETED, StepStatus.TIMED_OUT):
        output = "null"
    return SpanOutput(input_, data=output)
