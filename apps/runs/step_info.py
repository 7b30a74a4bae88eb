"""Details of a step by its kind (`StepInfo` of the published schema; spec 02, 10.5; spec 03, 6.7)."""

import json
from dataclasses import dataclass

from apps.engine.protocol.dates import parse_date_ms
from apps.runs.choices import StepStatus


@dataclass(frozen=True, slots=True)
class RunInfo:
    type: str | None


@dataclass(frozen=True, slots=True)
class SleepInfo:
    sleep_until: int


@dataclass(frozen=True, slots=True)
class WaitForEventInfo:
    event_name: str
    expression: str | None
    timeout: int
    found_event_id: str | None
    timed_out: bool | None


@dataclass(frozen=True, slots=True)
class WaitForSignalInfo:
    signal: str
    timeout: int
    timed_out: bool | None


@dataclass(frozen=True, slots=True)
class InvokeInfo:
    triggering_event_id: str
    function_id: str
    timeout: int
    return_event_id: str | None
    run_id: str | None
    timed_out: bool | None


StepInfo = RunInfo | SleepInfo | WaitForEventInfo | WaitForSignalInfo | InvokeInfo


class _Fields:
    """Typed access to the `info` of a record (`apps.engine.records.StepRecorded`)."""

    def __init__(self, raw: str) -> None:
        self._values: dict[str, object] = json.loads(raw) if raw else {}

    def text(self, key: str) -> str:
        value = self._values.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> int | None:
        value = self._values.get(key)
        return value if isinstance(value, int) else None

    def time(self, key: str) -> int | None:
        """Milliseconds since the epoch; records hold RFC 3339 texts."""
        return parse_date_ms(self.text(key))


def step_info(op: str, raw: str, status: int) -> StepInfo | None:
    """None where the kind has no details or a required one is not known."""
    fields = _Fields(raw)
    match op:
        case "StepRun" | "Gateway" | "AIGateway":
            return RunInfo(fields.text("type") or None)
        case "Sleep":
            return _sleep(fields)
        case "WaitForEvent":
            return _wait_for_event(fields, _timed_out(status))
        case "WaitForSignal":
            return _wait_for_signal(fields, _timed_out(status))
        case "InvokeFunction":
            return _invoke(fields, _timed_out(status))
    return None


def status_code(raw: str) -> int | None:
    """HTTP status of the app's answer, where the record says it."""
    return _Fields(raw).number("status_code")


def _timed_out(status: int) -> bool | None:
    """None while the step is open, and when its run ended around it."""
    if status < StepStatus.COMPLETED:
        return None
    return status == StepStatus.TIMED_OUT


def _sleep(fields: _Fields) -> SleepInfo | None:
    until = fields.time("sleep_until")
    return None if until is None else SleepInfo(until)


def _wait_for_event(fields: _Fields, timed_out: bool | None) -> WaitForEventInfo | None:
    timeout = fields.time("timeout")
    if timeout is None:
        return None
    return WaitForEventInfo(
        event_name=fields.text("event_name"),
        expression=fields.text("expression") or None,
        timeout=timeout,
        found_event_id=fields.text("found_event_id") or None,
        timed_out=timed_out,
    )


def _wait_for_signal(fields: _Fields, timed_out: bool | None) -> WaitForSignalInfo | None:
    timeout = fields.time("timeout")
    return None if timeout is None else WaitForSignalInfo(fields.text("signal"), timeout, timed_out)


def _invoke(fields: _Fields, timed_out: bool | None) -> InvokeInfo | None:
    timeout = fields.time("timeout")
    event_id = fields.text("triggering_event_id")
    if timeout is None or not event_id:
        return None
    return InvokeInfo(
        triggering_event_id=event_id,
        function_id=fields.text("function_id"),
        timeout=timeout,
        return_event_id=fields.text("found_event_id") or None,
        run_id=fields.text("invoked_run_id") or None,
        timed_out=timed_out,
    )
