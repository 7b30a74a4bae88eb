"""Runs that were ticked in the list are cancelled together."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from apps.dashboard.views import run_selection
from apps.engine.store.client import RedisUnavailable
from apps.runs.services import CancelResult
from tests.browser import seed_ids as ids
from tests.integration.dashboard.pages import text

LIVE = f"{ids.RUNNING_RUN},{ids.QUEUED_RUN}"


class Cancelling:
    """Stands for the service of runs: notes what it is asked, and answers as it is told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.results: dict[str, CancelResult | Exception] = {}

    def __call__(self, environment_id: object, run_id: str, reason: str) -> CancelResult:
        assert (str(environment_id), reason) == (str(ids.ENV_ID), "from the dashboard")
        self.asked.append(run_id)
        result = self.results.get(run_id, CancelResult.CANCELLED)
        if isinstance(result, Exception):
            raise result
        return result


@pytest.fixture
def cancelling(monkeypatch: pytest.MonkeyPatch) -> Cancelling:
    service = Cancelling()
    monkeypatch.setattr(run_selection, "run_cancel", service)
    return service


def test_the_question_names_functions_and_what_stays(seeded: Client) -> None:
    html = text(seeded.get(f"/runs/selected/{LIVE},{ids.FAILED_RUN}/cancel"))
    assert "Cancel 2 runs?" in html
    assert "Fulfil order (1), Charge card (1). Steps that are being called finish" in html
    assert "1 of the selected ended already, and stay as they are." in html


def test_only_those_that_have_not_ended_are_cancelled(seeded: Client, cancelling: Cancelling) -> None:
    url = f"/runs/selected/{LIVE},{ids.FAILED_RUN},{ids.RUNNING_RUN},unknown/cancel?list=status%3Dfailed"
    response = seeded.post(url)
    assert (response.status_code, response["Location"]) == (302, "/runs?status=failed")
    assert cancelling.asked == [ids.RUNNING_RUN, ids.QUEUED_RUN]
    assert [str(note) for note in get_messages(response.wsgi_request)] == ["2 runs were cancelled."]


def test_those_that_end_meanwhile_are_counted(seeded: Client, cancelling: Cancelling) -> None:
    cancelling.results[ids.RUNNING_RUN] = CancelResult.ALREADY_ENDED
    response = seeded.post(f"/runs/selected/{LIVE}/cancel")
    notes = [str(note) for note in get_messages(response.wsgi_request)]
    assert notes == ["1 run was cancelled. 1 had ended already."]


def test_without_redis_the_question_stays(seeded: Client, cancelling: Cancelling) -> None:
    cancelling.results[ids.QUEUED_RUN] = RedisUnavailable("away")
    response = seeded.post(f"/runs/selected/{LIVE}/cancel")
    assert response.status_code == 422
    assert "Redis is not reachable at the moment. Try again." in text(response)


def test_nothing_is_asked_where_nothing_can_be_cancelled(seeded: Client, cancelling: Cancelling) -> None:
    for method in (seeded.get, seeded.post):
        response = method(f"/runs/selected/{ids.FAILED_RUN},{ids.COMPLETED_RUN}/cancel")
        assert response.status_code == 422
        assert "All of the selected runs have ended already." in text(response)
    assert cancelling.asked == []


def test_a_selection_is_bounded(seeded: Client, cancelling: Cancelling) -> None:
    many = ",".join([ids.RUNNING_RUN, *(f"run-{number}" for number in range(100))])
    response = seeded.post(f"/runs/selected/{many}/cancel")
    assert response.status_code == 422
    assert "At most 100 runs are cancelled at once." in text(response)
    assert cancelling.asked == []


def test_runs_that_nobody_knows_are_not_found(seeded: Client) -> None:
    assert seeded.get("/runs/selected/unknown,neither/cancel").status_code == 404
