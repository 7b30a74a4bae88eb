"""The same behaviour through Flask and Django, and as a stream."""

from collections.abc import Iterator

import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Stepwell
from tests.e2e.python.conftest import ScriptStarter


def test_flask_chain(stepwell: Stepwell, flask_app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("flask/chain", {"key": key}))
    assert run["output"] == ["one", "two"]
    assert flask_app.labels(key) == ["one", "two"]


def test_flask_error_of_a_step(stepwell: Stepwell, flask_app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("flask/fails", {"key": key}))
    assert run["output"] == "ValueError: flask says no"
    assert flask_app.labels(key) == ["bad", "bad"]


def test_flask_parallel(stepwell: Stepwell, flask_app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("flask/parallel", {"key": key}))
    assert run["output"] == ["a", "b", "c"]
    assert sorted(flask_app.labels(key)) == ["a", "b", "c"]


def test_flask_wait_and_send(stepwell: Stepwell, flask_app: AppProcess, key: str) -> None:
    event_id = stepwell.send("flask/waits", {"key": key})
    stepwell.wait_for_pause(event_id)
    stepwell.send("flask/answer", {"key": key, "n": 9})
    assert stepwell.wait_for_run(event_id)["output"] == {"n": 9, "sent": 1}


def test_django_chain(stepwell: Stepwell, django_app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("django/chain", {"key": key}))
    assert run["output"] == [{"é": 1}, 2]
    assert django_app.labels(key) == ["one", "two"]


def test_django_parallel(stepwell: Stepwell, django_app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("django/parallel", {"key": key}))
    assert run["output"] == ["a", "b", "c"]
    assert sorted(django_app.labels(key)) == ["a", "b", "c"]


def test_django_failure_handler(stepwell: Stepwell, django_app: AppProcess, key: str) -> None:
    event_id = stepwell.send("django/fails", {"key": key})
    run = stepwell.wait_for_run(event_id, status="Failed")
    assert run["output"]["message"] == "django says no"
    django_app.wait_for_label(key, "on-failure")
    assert django_app.labels(key) == ["body", "body", "on-failure"]


@pytest.fixture(scope="module")
def streaming_app(stepwell: Stepwell, start_script: ScriptStarter) -> Iterator[AppProcess]:
    app = start_script("small_app.py", stepwell, APP_ID="py-streaming", STREAMING="1")
    yield app
    app.stop()


def test_streamed_steps_and_result(stepwell: Stepwell, streaming_app: AppProcess, key: str) -> None:
    event_id = stepwell.send("py-streaming/echo", {"key": key, "value": "é<&>"})
    assert stepwell.wait_for_run(event_id)["output"] == {"value": "é<&>", "stepped": "é<&>"}
    assert streaming_app.labels(key) == ["echo", "end"]


def test_stream_that_shows_signs_of_life(stepwell: Stepwell, streaming_app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py-streaming/slow", {"key": key}))
    assert run["output"] == "slowly"
    assert streaming_app.labels(key) == ["slow"]


def test_streamed_error(stepwell: Stepwell, streaming_app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py-streaming/fails", {"key": key}), status="Failed")
    assert (run["output"]["name"], run["output"]["message"]) == ("ValueError", "no")
    assert streaming_app.labels(key) == ["body", "body"]
