"""GET and DELETE of /v1/runs/{id}, its jobs, and DELETE /v0/runs/{id} (spec 03, 4.4 and 7.4)."""

import uuid
from collections.abc import Sequence

import msgspec
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.rest.answers import enveloped, raw, time_or_none
from apps.api.rest.base import RestView, ulid_or_error
from apps.api.rest.errors import PublicError
from apps.audit.changes import Target
from apps.engine import bridge
from apps.engine.protocol.dates import rfc3339
from apps.engine.store.jobs import RunJob, run_jobs
from apps.runs import selectors
from apps.runs.choices import RunStatus
from apps.runs.exceptions import RunNotFound
from apps.runs.models import Run
from apps.runs.services import CancelResult, run_cancel
from apps.tenancy.permissions import Permission

MAX_JOBS = 10
CANCEL_REASON = "cancelled through the API"


class RunItem(msgspec.Struct, omit_defaults=True):
    """One run as the API shows it; what does not apply is left out."""

    run_id: str
    run_started_at: str
    function_id: str
    function_version: int
    environment_id: str
    event_id: str | None
    status: str
    ended_at: str | None
    batch_id: str = ""
    original_run_id: str = ""
    cron: str = ""
    output: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class RunView(RestView):
    permissions = {"GET": Permission.DATA_READ, "DELETE": Permission.RUN_CANCEL}

    def get(self, request: Request, run_id: str) -> Response:
        run_id = ulid_or_error(run_id, "Invalid run ID")
        run = selectors.run_get(self.environment_id, run_id)
        if run is None:
            raise _unknown(run_id)
        (item,) = run_items(self.environment_id, [run])
        return enveloped(item, fresh_seconds=3)

    def delete(self, request: Request, run_id: str) -> HttpResponse:
        """Silent where the run has ended already."""
        run_id = ulid_or_error(run_id, "Invalid run ID")
        try:
            result = run_cancel(self.environment_id, run_id, CANCEL_REASON)
        except RunNotFound:
            raise _unknown(run_id) from None
        if result is CancelResult.CANCELLED:
            self.audit("run.cancel", Target("run", run_id, run_id))
        return HttpResponse(status=200)


class RunJobsView(RestView):
    permissions = {"GET": Permission.VIEW}

    def get(self, request: Request, run_id: str) -> Response:
        run_id = ulid_or_error(run_id, "Invalid run ID")
        env_id = str(self.environment_id)
        jobs = bridge.engine_call(lambda engine: run_jobs(engine.client, engine.keys.prefix, env_id, run_id))
        items = [_job_item(position, job) for position, job in enumerate(jobs[:MAX_JOBS])]
        return enveloped(items, fresh_seconds=5)


class RunV0View(RestView):
    permissions = {"DELETE": Permission.RUN_CANCEL}

    def delete(self, request: Request, run_id: str) -> HttpResponse:
        if len(run_id) != 26:
            raise PublicError(400, "The run ID specified is invalid")
        try:
            result = run_cancel(self.environment_id, run_id.upper(), CANCEL_REASON)
        except RunNotFound:
            raise PublicError(404, "A function run with the given ID could not be found") from None
        if result is CancelResult.ALREADY_ENDED:
            raise PublicError(409, "This function has already completed")
        if result is CancelResult.CANCELLED:
            self.audit("run.cancel", Target("run", run_id.upper(), run_id.upper()))
        return HttpResponse(status=204)


def run_items(environment_id: uuid.UUID, runs: Sequence[Run]) -> list[RunItem]:
    ids = [run.run_id for run in runs]
    events = selectors.run_event_ids(environment_id, ids)
    outputs = selectors.run_outputs(environment_id, ids)
    return [_run_item(run, events[run.run_id], outputs.get(run.run_id)) for run in runs]


def _run_item(run: Run, event_ids: Sequence[str], output: str | None) -> RunItem:
    return RunItem(
        run_id=run.run_id,
        run_started_at=rfc3339(run.queued_at),
        function_id=str(run.function_id),
        function_version=run.function_version,
        environment_id=str(run.environment_id),
        event_id=event_ids[0] if event_ids else None,
        status=str(RunStatus(run.status).label),
        ended_at=time_or_none(run.ended_at),
        original_run_id=run.original_run_id,
        cron=run.cron,
        output=msgspec.UNSET if output is None else raw(output),
    )


def _job_item(position: int, job: RunJob) -> dict[str, object]:
    kind = job.kind if job.kind == "start" else "edge"
    at = rfc3339(job.due_at)
    return {"at": at, "position": position, "kind": kind, "attempt": job.attempt, "JobID": job.id, "Raw": {}}


def _unknown(run_id: str) -> PublicError:
    return PublicError(404, f"Unable to load function run: {run_id}")
