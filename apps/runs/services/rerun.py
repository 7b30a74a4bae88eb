"""Running a run's events again, from the start or from one of its steps (spec 02, 12.1 and 12.2)."""

import json
import uuid

from apps.engine import bridge
from apps.engine.engine import UnknownFunction
from apps.engine.store.requests import RerunRequest
from apps.runs import selectors
from apps.runs.exceptions import EventsGone, FunctionGone, InputInvalid, RunNotFound, TraceGone
from apps.runs.models import Run
from apps.runs.services.replayed_steps import Memo, find_step, memos_before


def run_rerun(
    environment_id: uuid.UUID,
    run_id: str,
    from_step: str | None = None,
    input: str | None = None,  # noqa: A002
) -> str:
    """Start a new run with the events of `run_id` and the function's latest configuration; its id.

    `from_step` is an internal step id or a step's visible name: what was finished before that step
    is kept. `input` (JSON text of an array) then replaces the step's arguments. Raises RunError for
    what spec 02, 12.2 refuses, RedisUnavailable.
    """
    run = selectors.run_get(environment_id, run_id)
    if run is None:
        raise RunNotFound
    if input is not None:
        _check_input(input)
    target, memos = _replayed(environment_id, run_id, from_step) if from_step else ("", [])
    request = _request(environment_id, run, target, memos, (input or "") if target else "")
    try:
        return bridge.engine_call(lambda engine: engine.rerun(request))
    except UnknownFunction as error:
        raise FunctionGone from error


def _replayed(environment_id: uuid.UUID, run_id: str, from_step: str) -> tuple[str, list[Memo]]:
    attempts = selectors.run_steps(environment_id, run_id)
    if not attempts:
        raise TraceGone
    target = find_step(attempts, from_step)
    payloads = selectors.step_payloads(environment_id, run_id)
    return target.step_id, memos_before(target, attempts, payloads)


def _request(
    environment_id: uuid.UUID, run: Run, target: str, memos: list[Memo], input_text: str
) -> RerunRequest:
    events = selectors.run_events(environment_id, run.run_id)
    if not events:
        raise EventsGone
    return RerunRequest(
        env_id=str(environment_id),
        function_id=str(run.function_id),
        events=[item.body.encode() for item in events],
        event_ids=[item.event.internal_id for item in events],
        event_names=[item.event.name for item in events],
        original_run_id=run.original_run_id or run.run_id,
        memos=memos,
        target_step=target,
        target_input=input_text.encode(),
    )


def _check_input(text: str) -> None:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputInvalid from error
    if not isinstance(value, list):
        raise InputInvalid
