"""Steps one after another: what is called how often, and what values and ids survive."""

import pytest

from tests.e2e.harness import Json
from tests.e2e.typescript.sdk_app import SdkApp

pytestmark = pytest.mark.needs_node

ODD_IDS = ["with space", "ünïcödé é<>&", "日本語", "🚀", "a/b?c=d&e#f", '"quoted"', "__proto__", "x" * 300]
ODD_VALUES: Json = {
    "null": None,
    "false": False,
    "zero": 0,
    "empty": "",
    "text": 'é<>&\u2028 "quoted" \\ 日本語 🚀',
    "float": 0.1,
    "tiny": 1e-7,
    "huge": 1e21,
    "bigInteger": 9007199254740991,
    "list": [],
    "object": {},
    "data": {"data": {"data": 1}},
    "error": {"error": {"name": "NotAnError", "message": "a value"}},
    "nested": {"z": [1, {"y": None}], "a": {"b": {"c": {}}}},
}


def test_function_without_steps(app: SdkApp, key: str) -> None:
    event_id = app.send("plain", key, text="é<>&", number=1.5)
    run = app.stepwell.wait_for_run(event_id)
    assert run["output"] == {
        "data": {"key": key, "text": "é<>&", "number": 1.5},
        "name": f"{app.prefix}/plain",
        "id": event_id,
        "runId": run["run_id"],
        "attempt": 0,
    }
    (request,) = app.requests(key)
    expected = (200, None) if app.is_v3 else (206, ["RunComplete"])
    assert (request.status, request.ops) == expected
    is_signed = bool(app.stepwell.signing_key)
    assert (request.version, request.run_id, request.signed) == (-1, run["run_id"], is_signed)


def test_function_that_returns_nothing(app: SdkApp, key: str) -> None:
    assert app.run("nothing", key)["output"] is None


def test_chain_of_steps(app: SdkApp, key: str) -> None:
    assert app.run("chain", key)["output"] == [1, {"one": 1, "doubled": 2}, None]
    assert app.labels(key) == ["one", "two", "three"]
    run_step = [["StepRun"]] * 3
    assert app.ops(key) == ([*run_step, None] if app.is_v3 else [["RunComplete"]])


def test_client_without_checkpointing(app: SdkApp, key: str) -> None:
    assert app.run("plain:chain", key)["output"] == [1, {"one": 1, "doubled": 2}, None]
    assert app.labels(key) == ["one", "two", "three"]
    assert app.ops(key) == [["StepRun"], ["StepRun"], ["StepRun"], None]
    assert [request.steps for request in app.requests(key)] == [0, 1, 2, 3]
    version = 1 if app.is_v3 else 2
    assert [request.version for request in app.requests(key)] == [-1, version, version, version]


def test_function_without_checkpointing(app: SdkApp, key: str) -> None:
    assert app.run("classic", key)["output"] == 2
    assert app.labels(key) == ["one", "two"]
    assert app.ops(key) == [["StepRun"], ["StepRun"], None]


def test_one_id_used_several_times(app: SdkApp, key: str) -> None:
    assert app.run("repeated", key)["output"] == [0, 1, 2]
    assert app.labels(key) == ["same 0", "same 1", "same 2"]


def test_steps_inside_helper_functions(app: SdkApp, key: str) -> None:
    assert app.run("nested", key)["output"] == ["<a>", "<b>"]
    assert app.labels(key) == ["a.inner", "a.outer", "b.inner", "b.outer"]


def test_odd_step_ids(app: SdkApp, key: str) -> None:
    javascript_lengths = [len(step_id.encode("utf-16-le")) // 2 for step_id in ODD_IDS]
    assert app.run("odd-ids", key)["output"] == javascript_lengths
    assert app.labels(key) == ODD_IDS


def test_odd_values_come_back_unchanged(app: SdkApp, key: str) -> None:
    assert app.run("odd-values", key)["output"] == ODD_VALUES
    assert app.labels(key) == list(ODD_VALUES)


def test_loop_of_100_steps(app: SdkApp, key: str) -> None:
    assert app.run("loop", key, patience=40)["output"] == 4950
    assert [call["turn"] for call in app.calls(key, "turn")] == list(range(100))
    assert len(app.requests(key)) == (101 if app.is_v3 else 1)


def test_large_state_is_fetched_over_the_api(app: SdkApp, key: str) -> None:
    assert app.run("large", key, patience=40)["output"] == [2_000_000] * 3
    assert app.labels(key) == ["large 0", "large 1", "large 2"]
    uses = [request.use_api for request in app.requests(key)]
    assert uses == ([False, False, False, True, True] if app.is_v3 else [False, True])


def test_arguments_of_a_step(app: SdkApp, key: str) -> None:
    assert app.run("inputs", key)["output"] == 42
    assert app.labels(key) == ["add"]


def test_streamed_responses(app: SdkApp, key: str) -> None:
    """The app answers 201 at once, and its real answer comes at the end of the stream."""
    assert app.run("streaming:chain", key)["output"] == [1, {"one": 1, "doubled": 2}, None]
    assert app.labels(key) == ["one", "two", "three"]
    requests = app.requests(key)
    assert [request.status for request in requests] == [201] * (4 if app.is_v3 else 1)
    assert {request.path for request in requests} == {"/api/streaming"}


def test_middleware_and_logger_of_the_sdk(app: SdkApp, key: str) -> None:
    """The replayed lines of the function's own are not logged again, those of steps are once."""
    assert app.run("logs", key)["output"] == "hello from the middleware"
    log = app.log_tail(400)
    counts = {word: log.count(f"{word} {key}") for word in ("outside", "one", "two", "end")}
    assert counts == {"outside": 1, "one": 1, "two": 1, "end": 1}
