"""The test tool (spec 05, 2.5): scripts that are not saved, run on deliveries that are not real."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import msgspec
from django.conf import settings

from apps.engine import clock
from apps.webhooks.bodies import BodyInvalid, Parsed, parsed_body
from apps.webhooks.exceptions import ScriptsBusy
from apps.webhooks.incoming import Incoming
from apps.webhooks.models import Delivery, Webhook
from apps.webhooks.runtime.messages import WALL_CLOCK_MS, Ending, Function
from apps.webhooks.scripts import ResultInvalid, emitted_events, response_of, script_call
from apps.webhooks.selectors import sample_deliveries
from apps.webhooks.services.scripts import script_run

RATE_PER_SECOND: Final = 5.0
BURST: Final = 60.0
_MAX_ACCOUNTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class TestDelivery:
    """Header names in any case; `received_ms` is what the script takes for now, 0: the present."""

    __test__ = False

    payload: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    content_type: str = "application/json"
    received_ms: int = 0

    def incoming(self) -> Incoming:
        headers = {name.lower(): value for name, value in self.headers.items()}
        headers["content-type"] = self.content_type
        body = self.payload.encode(errors="replace")
        return Incoming("POST", headers, self.query, body, self.received_ms or clock.now_ms())


@dataclass(frozen=True, slots=True)
class TestResult:
    """`output` is what the script returned, as indented JSON, even where it is not valid; then `error` names
    the first thing that is wrong. `is_dropped`: it returned null, or nothing in a list."""

    __test__ = False

    output: str = ""
    event_names: tuple[str, ...] = ()
    is_dropped: bool = False
    error: str = ""
    line: int = 0
    column: int = 0
    console: tuple[str, ...] = ()
    duration_ms: int = 0

    @property
    def is_ok(self) -> bool:
        return not self.error


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a changed script makes of a delivery, and what the saved one does."""

    edited: TestResult
    saved: TestResult

    @property
    def differs(self) -> bool:
        return (self.edited.output, self.edited.error) != (self.saved.output, self.saved.error)


def transform_test(*, account_id: UUID, transform: str, delivery: TestDelivery) -> TestResult:
    """Raises ScriptInvalid where the script is too long, ScriptsBusy, ScriptsUnavailable."""
    _rates.spend(account_id, 1)
    return _tested(account_id, transform, delivery.incoming(), Function.TRANSFORM)


def respond_test(*, account_id: UUID, respond: str, delivery: TestDelivery) -> TestResult:
    """As `transform_test`, of a response function."""
    _rates.spend(account_id, 1)
    return _tested(account_id, respond, delivery.incoming(), Function.RESPOND)


def transform_compare(*, webhook: Webhook, transform: str, delivery: TestDelivery) -> Comparison:
    """As `transform_test`, of two scripts at the same moment."""
    account_id, incoming = webhook.key.account_id, delivery.incoming()
    _rates.spend(account_id, 2)
    edited = _tested(account_id, transform, incoming, Function.TRANSFORM)
    return Comparison(edited, _tested(account_id, webhook.transform, incoming, Function.TRANSFORM))


def transform_test_deliveries(*, webhook: Webhook, transform: str) -> list[tuple[Delivery, TestResult]]:
    """On each of the last deliveries that are kept whole, the latest first; stops at the first that runs into
    a limit. Raises as `transform_test`."""
    account_id, found = webhook.key.account_id, sample_deliveries(webhook)
    _rates.spend(account_id, len(found))
    results: list[tuple[Delivery, TestResult]] = []
    for delivery in found:
        result = _tested(account_id, transform, incoming_of(delivery), Function.TRANSFORM)
        results.append((delivery, result))
        if result.duration_ms >= WALL_CLOCK_MS:
            break
    return results


def incoming_of(delivery: Delivery) -> Incoming:
    """A logged delivery as it came, but for the secrets among its headers."""
    headers = {name.lower(): value for name, value in delivery.headers.items()}
    received_ms = round(delivery.received_at.timestamp() * 1000)
    body = bytes(delivery.body)
    return Incoming(delivery.method, headers, delivery.query, body, received_ms, delivery.ip or "")


def _tested(account_id: UUID, source: str, incoming: Incoming, function: Function) -> TestResult:
    try:
        parsed = parsed_body(incoming.content_type, incoming.body)
    except BodyInvalid as invalid:
        return TestResult(error=f"The payload: {invalid}")
    return _ran(account_id, source, incoming, parsed, function)


def _ran(account_id: UUID, source: str, incoming: Incoming, parsed: Parsed, function: Function) -> TestResult:
    call = script_call(source, incoming, parsed, function=function, is_preview=True)
    result = script_run(account_id, call)
    console, duration_ms = tuple(result.logs), result.duration_ms
    if result.ending != Ending.OK:
        return TestResult(
            error=result.message,
            line=result.line,
            column=result.column,
            console=console,
            duration_ms=duration_ms,
        )
    names, error = _judged(result.value, incoming.received_ms, function)
    is_dropped = function == Function.TRANSFORM and not names and not error
    output = msgspec.json.format(result.value, indent=2)
    return TestResult(output, names, is_dropped, error, console=console, duration_ms=duration_ms)


def _judged(value: str, received_ms: int, function: Function) -> tuple[tuple[str, ...], str]:
    """The names of the events, or what is wrong."""
    limit: int = settings.STEPWELL_EVENT_MAX_BYTES
    try:
        if function == Function.RESPOND:
            response_of(value)
            return (), ""
        events = emitted_events(value, meta={}, received_ms=received_ms, max_bytes=limit)
    except ResultInvalid as invalid:
        return (), str(invalid)
    return tuple(event.name for event in events), ""


class _Rates:
    """A bucket for each account, in this process: what scripts cost beyond it, the pool's lanes share out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[UUID, tuple[float, float]] = {}

    def spend(self, account_id: UUID, runs: int) -> None:
        """Raises ScriptsBusy."""
        now = time.monotonic()
        with self._lock:
            if len(self._buckets) >= _MAX_ACCOUNTS:
                self._buckets.clear()
            left, since = self._buckets.get(account_id, (BURST, now))
            left = min(BURST, left + (now - since) * RATE_PER_SECOND)
            if left < runs:
                raise ScriptsBusy
            self._buckets[account_id] = (left - runs, now)

    def forget(self) -> None:
        with self._lock:
            self._buckets.clear()


_rates = _Rates()


def forget_rates() -> None:
    """For tests."""
    _rates.forget()
