"""Go's streamed answers: 201, spaces, then an envelope whose body is a JSON value (spec 01 7.4)."""

from tests.e2e.app_process import AppProcess
from tests.e2e.dialect_calls import bodies, requests
from tests.e2e.harness import Json, Stepwell


def _run(stepwell: Stepwell, name: str, function: str, key: str, status: str = "Completed") -> Json:
    event_id = stepwell.send(name, {"key": key})
    return stepwell.wait_for_run(event_id, status=status, function=f"go-streaming-{function}")


def test_streamed_ops_and_result(stepwell: Stepwell, streaming_app: AppProcess, key: str) -> None:
    run = _run(stepwell, "go-streaming/chain", "chain", key)
    assert run["output"] == {"one": 1, "two": {"sum": 2}, "nothing": None}
    assert bodies(streaming_app, key) == ["one", "two", "nothing"]
    assert [request["version"] for request in requests(streaming_app, key)] == [-1, 2, 2, 2]


def test_streamed_error_without_retry(stepwell: Stepwell, streaming_app: AppProcess, key: str) -> None:
    run = _run(stepwell, "go-streaming/no-retry", "no-retry", key, "Failed")
    assert run["output"] == {"error": "NonRetriableError", "message": "give up", "name": "Error"}
    assert bodies(streaming_app, key) == ["body"]


def test_streamed_retry_time(stepwell: Stepwell, streaming_app: AppProcess, key: str) -> None:
    run = _run(stepwell, "go-streaming/retry-at-step", "retry-at-step", key)
    assert run["output"] == "done"
    first, second, _ = requests(streaming_app, key)
    assert 1900 < second["at"] - first["at"] < 3600
