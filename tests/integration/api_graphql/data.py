"""Rows of a small tenant, and requests to the endpoint."""

import itertools
import json
import uuid
from dataclasses import dataclass

import msgspec
from django.test import Client
from ulid_transform import bytes_to_ulid

from apps.engine.functions import FunctionSpec
from apps.events.models import Event, EventPayload
from apps.registry.models import App, Function
from apps.runs.choices import FIRST_TERMINAL_RUN_STATUS, RunStatus, StepStatus
from apps.runs.models import Run, RunEvent, RunPayload, StepAttempt, StepPayload
from apps.tenancy.models import DEV_ACCOUNT_ID, DEV_ENVIRONMENT_ID

T0 = 1_732_367_221_000  # 2024-11-23T13:07:01Z
FROM = "2024-11-23T13:00:00Z"

Json = dict[str, object]
_numbers = itertools.count(1)


def ulid_at(ms: int) -> str:
    """A ULID of the moment, different at every call."""
    return bytes_to_ulid(ms.to_bytes(6, "big") + next(_numbers).to_bytes(10, "big"))


@dataclass(frozen=True)
class Reply:
    status: int
    body: dict[str, object]

    @property
    def data(self) -> dict[str, object]:
        """The data of a request without errors."""
        assert "errors" not in self.body, self.body["errors"]
        data = self.body["data"]
        assert isinstance(data, dict)
        return data

    @property
    def messages(self) -> list[str]:
        errors = self.body["errors"]
        assert isinstance(errors, list)
        return [error["message"] for error in errors]


def ask(query: str, **variables: object) -> Reply:
    """POST the query to the endpoint."""
    response = Client().post(
        "/v0/gql", json.dumps({"query": query, "variables": variables}), content_type="application/json"
    )
    return Reply(response.status_code, response.json())


def make_app(name: str = "myapp", environment_id: uuid.UUID = DEV_ENVIRONMENT_ID, **values: object) -> App:
    defaults: Json = {
        "account_id": DEV_ACCOUNT_ID,
        "url": "http://localhost:21250/api/inngest",
        "normalised_url": f"http://localhost:21250/api/inngest?{name}",
        "sdk_language": "py",
        "sdk_version": "v0.5.19",
        "framework": "flask",
        "checksum": "5a07",
    }
    return App.objects.create(environment_id=environment_id, name=name, **{**defaults, **values})


def make_function(
    app: App, short_id: str = "hello", config: Json | None = None, spec: Json | None = None
) -> Function:
    slug = f"{app.name}-{short_id}"
    function_id = uuid.uuid4()
    url = f"http://localhost:21250/api/inngest?fnId={slug}&stepId=step"
    base = {
        "id": str(function_id),
        "slug": slug,
        "name": short_id.title(),
        "app_id": str(app.id),
        "app_name": app.name,
        "env_id": str(app.environment_id),
        "account_id": str(app.account_id),
        "version": 1,
        "url": url,
    }
    full = msgspec.convert({**base, **(spec or {})}, FunctionSpec)
    return Function.objects.create(
        id=function_id,
        account_id=app.account_id,
        environment_id=app.environment_id,
        app=app,
        slug=slug,
        name=full.name,
        url=url,
        config=json.dumps({"id": slug, "name": full.name, **(config or {})}),
        config_hash="",
        spec=msgspec.json.encode(full).decode(),
    )


def make_event(
    name: str = "demo/go",
    data: Json | None = None,
    at: int = T0,
    external_id: str | None = None,
    environment_id: uuid.UUID = DEV_ENVIRONMENT_ID,
    **extra: object,
) -> Event:
    internal_id = ulid_at(at)
    key = f"0:{at}-{next(_numbers)}"
    event_id = external_id or internal_id
    body = {"data": data or {}, "id": event_id, "name": name, "ts": at, "user": {}, **extra}
    EventPayload.objects.create(key=key, body=json.dumps(body, separators=(",", ":")))
    return Event.objects.create(
        key=key,
        environment_id=environment_id,
        account_id=DEV_ACCOUNT_ID,
        internal_id=internal_id,
        external_id=event_id,
        name=name,
        ts=at,
        received_at=at,
        is_internal=name.startswith("inngest/"),
        source="api",
    )


def make_run(
    function: Function,
    *events: Event,
    status: RunStatus = RunStatus.COMPLETED,
    at: int = T0,
    output: object = None,
    **values: object,
) -> Run:
    """A run queued at `at`, started 10 ms later and, when it has ended, ended 100 ms later."""
    has_ended = status >= FIRST_TERMINAL_RUN_STATUS
    defaults: Json = {
        "scheduled_at": at,
        "started_at": None if status in (RunStatus.SCHEDULED, RunStatus.SKIPPED) else at + 10,
        "ended_at": at + 100 if has_ended else None,
        "schedule_type": "Event",
        "event_name": events[0].name if events else "",
        "cron": "",
        "original_run_id": "",
        "skip_reason": "",
        "skip_existing_run_id": "",
        "cancel_reason": "",
    }
    run = Run.objects.create(
        run_id=ulid_at(at),
        account_id=function.account_id,
        environment_id=function.environment_id,
        app_id=function.app_id,
        function_id=function.id,
        function_version=1,
        status=status,
        queued_at=at,
        has_output=output is not None,
        version=1,
        **{**defaults, **values},
    )
    for position, event in enumerate(events):
        RunEvent.objects.create(run_id=run.run_id, position=position, event_id=event.internal_id)
    if output is not None:
        RunPayload.objects.create(run_id=run.run_id, output=json.dumps(output, separators=(",", ":")))
    return run


def make_attempt(
    run: Run,
    name: str,
    status: StepStatus = StepStatus.COMPLETED,
    *,
    op: str = "StepRun",
    attempt: int = 0,
    times: tuple[int | None, int | None, int | None] = (0, 0, 0),
    info: Json | None = None,
    output: object = None,
    error: Json | None = None,
    input: object = None,  # noqa: A002
) -> StepAttempt:
    """A row of the step whose id is "id-<name>", or of the function's own code; `times` count from the
    queue time of the run."""
    queued_at, started_at, ended_at = (None if time is None else run.queued_at + time for time in times)
    step_id = f"id-{name}" if name else ""
    payloads = {"output": output, "error": error, "input": input}
    texts = {key: json.dumps(value) for key, value in payloads.items() if value is not None}
    if texts:
        StepPayload.objects.create(run_id=run.run_id, step_id=step_id, attempt=attempt, **texts)
    return StepAttempt.objects.create(
        run_id=run.run_id,
        step_id=step_id,
        attempt=attempt,
        op=op if name else "Function",
        status=status,
        name=name,
        queued_at=queued_at,
        started_at=started_at,
        ended_at=ended_at,
        max_attempts=2,
        info=json.dumps(info) if info else "",
    )
