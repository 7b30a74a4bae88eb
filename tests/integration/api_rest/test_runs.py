"""Runs: reading, cancelling, jobs (spec 03, 4.4 and 7.4)."""

import pytest
from django.test import Client

from apps.engine.protocol.dates import parse_date_ms
from apps.engine.records import RunEnded, RunStarted
from tests.integration.api_rest.live import is_live, start_run
from tests.integration.history.life import ENV, EVENT, FUNCTION, LIFE, RUN, scheduled
from tests.integration.history.seed import write

pytestmark = pytest.mark.django_db

OTHER = "01M8488PZN38TBQW5R170FD999"


def test_a_completed_run(rest: Client) -> None:
    write(*LIFE)
    answer = rest.get(f"/v1/runs/{RUN}")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, max-age=3"
    body = answer.json()
    assert body["data"] == {
        "run_id": RUN,
        "run_started_at": "1970-01-01T00:00:01Z",
        "function_id": FUNCTION,
        "function_version": 3,
        "environment_id": ENV,
        "event_id": EVENT,
        "status": "Completed",
        "ended_at": "1970-01-01T00:00:01.3Z",
        "output": "done",
    }
    fetched, until = (parse_date_ms(body["metadata"][name]) for name in ("fetched_at", "cached_until"))
    assert fetched is not None
    assert until == fetched + 3000


def test_a_run_in_progress_has_no_output(rest: Client) -> None:
    write(scheduled(), RunStarted(RUN, 5))
    data = rest.get(f"/v1/runs/{RUN}").json()["data"]
    assert (data["status"], data["ended_at"], "output" in data) == ("Running", None, False)


def test_reruns_and_crons_say_so(rest: Client) -> None:
    write(scheduled(original_run_id=OTHER, cron="* * * * *"))
    data = rest.get(f"/v1/runs/{RUN}").json()["data"]
    assert (data["original_run_id"], data["cron"], data["status"]) == (OTHER, "* * * * *", "Scheduled")


def test_an_output_comes_back_as_it_was(rest: Client) -> None:
    write(scheduled(), RunEnded(RUN, "Failed", 9, output=b'{"name": "E", "n": 1.0}'))
    assert b'"output":{"name": "E", "n": 1.0}' in rest.get(f"/v1/runs/{RUN}").content


@pytest.mark.parametrize("method", ["get", "delete"])
@pytest.mark.parametrize(
    ("run_id", "status", "error"),
    [("x", 400, "Invalid run ID: x"), (OTHER, 404, f"Unable to load function run: {OTHER}")],
)
def test_errors(rest: Client, method: str, run_id: str, status: int, error: str) -> None:
    answer = getattr(rest, method)(f"/v1/runs/{run_id}")
    assert answer.status_code == status
    assert answer.json() == {"error": error, "data": None, "status": status}


def test_a_live_run_is_cancelled(rest: Client) -> None:
    run_id = start_run()
    write(scheduled(run_id))
    answer = rest.delete(f"/v1/runs/{run_id}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert not is_live(run_id)
    again = rest.delete(f"/v1/runs/{run_id}")
    assert (again.status_code, again.content) == (200, b"")


def test_cancelling_an_ended_run_changes_nothing(rest: Client) -> None:
    write(*LIFE)
    assert rest.delete(f"/v1/runs/{RUN}").status_code == 200
    assert rest.get(f"/v1/runs/{RUN}").json()["data"]["status"] == "Completed"


def test_v0_cancels_with_its_own_answers(rest: Client) -> None:
    run_id = start_run()
    assert rest.delete(f"/v0/runs/{run_id}").status_code == 204
    write(*LIFE)
    ended, unknown, bad = (rest.delete(f"/v0/runs/{known}") for known in (RUN, OTHER, "x"))
    assert ended.json() == {"error": "This function has already completed", "data": None, "status": 409}
    text = "A function run with the given ID could not be found"
    assert unknown.json() == {"error": text, "data": None, "status": 404}
    assert bad.json() == {"error": "The run ID specified is invalid", "data": None, "status": 400}


def test_jobs_of_a_live_run(rest: Client) -> None:
    run_id = start_run()
    answer = rest.get(f"/v1/runs/{run_id}/jobs")
    assert answer["Cache-Control"] == "private, max-age=5"
    (job,) = answer.json()["data"]
    assert parse_date_ms(job.pop("at")) is not None
    assert job.pop("JobID")
    assert job == {"position": 0, "kind": "start", "attempt": 0, "Raw": {}}


def test_an_ended_run_has_no_jobs(rest: Client) -> None:
    assert rest.get(f"/v1/runs/{RUN}/jobs").json()["data"] == []
