"""Requests that the platform makes for a step: step.fetch and step.ai.infer."""

import json

import pytest

from tests.conftest import free_port
from tests.e2e.harness import Json
from tests.e2e.typescript.sdk_app import AI_KEY, SdkApp

pytestmark = pytest.mark.needs_node


def test_fetch(app: SdkApp, key: str) -> None:
    """Any answer is a success, whatever its status; the app does not make the request itself."""
    request = {
        "url": app.outside(f"echo/{key}?status=418"),
        "method": "POST",
        "headers": {"x-custom": "é".encode().hex(), "content-type": "application/json"},
        "body": json.dumps({"text": "é<>&"}),
    }
    run = app.run("fetches", key, request=request)
    assert run["output"] == {
        "status": 418,
        "type": "application/json; charset=utf-8",
        "body": {"method": "POST", "body": {"text": "é<>&"}},
    }
    (call,) = app.calls(key, "echo")
    assert (call["method"], call["headers"]) == ("POST", {"x-custom": "c3a9"})
    assert app.ops(key)[0] == ["Gateway"]


def test_fetch_without_options(app: SdkApp, key: str) -> None:
    run = app.run("fetches", key, request={"url": app.outside(f"echo/{key}")})
    assert (run["output"]["status"], run["output"]["body"]["method"]) == (200, "GET")


def test_fetch_of_the_package(app: SdkApp, key: str) -> None:
    """Inside of a function, `fetch` of the package is a step too."""
    run = app.run("fetch-wrapper", key, request={"url": app.outside(f"echo/{key}")})
    assert (run["output"]["status"], run["output"]["body"]["method"]) == (200, "PUT")
    assert app.ops(key)[0] == ["Gateway"]


def test_fetch_of_a_host_that_does_not_answer(app: SdkApp, key: str) -> None:
    """Tried as often as the function allows, then an error that the code can catch."""
    event_id = app.send("fetch-unreachable", key, request={"url": f"http://127.0.0.1:{free_port()}/"})
    output = app.stepwell.wait_for_run(event_id)["output"]
    assert output["name"] == "GatewayError"
    assert output["message"].startswith("Error making gateway request: Cannot connect to host 127.0.0.1")
    assert output["rescue"] == "rescued"


def test_fetch_of_a_host_that_hangs_up(app: SdkApp, key: str) -> None:
    run = app.run("fetch-unreachable", key, request={"url": app.outside(f"hangs-up/{key}")})
    assert run["output"]["message"] == "Error making gateway request: Server disconnected"
    assert app.calls(key, "hangs-up") != []


def test_inference(app: SdkApp, key: str) -> None:
    assert app.run("infers", key, model="gpt-4o")["output"] == "forty-two"
    (call,) = app.calls(key, "inference")
    assert call["headers"] == {"authorization": f"Bearer {AI_KEY}"}
    assert call["body"] == {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "What is six by seven?"}],
    }
    assert app.ops(key)[0] == ["AIGateway"]


def test_inference_that_the_model_refuses(app: SdkApp, key: str) -> None:
    output = app.run("infers", key, model="broken")["output"]
    assert output == {
        "name": "AIGatewayError",
        "message": "Error making AI request: unsuccessful status code: 400",
    }
    assert app.labels(key) == ["inference", "inference"]


TRACE = """
query ($id: String!) { run(runID: $id) { output trace(preview: true) {
  name outputID childrenSpans { name outputID metadata { values } childrenSpans { name outputID } } } } }
"""
OUTPUT = "query ($id: String!) { runTraceSpanOutputByID(outputID: $id) { input data error { message } } }"


def spans_of(span: Json) -> list[Json]:
    return [span, *(one for child in span.get("childrenSpans", []) for one in spans_of(child))]


def test_key_of_the_model_is_shown_nowhere(app: SdkApp, key: str) -> None:
    run = app.run("infers", key, model="gpt-4o")
    found = app.stepwell.gql(TRACE, {"id": run["run_id"]})["run"]
    handles = [span["outputID"] for span in spans_of(found["trace"]) if span["outputID"]]
    outputs = [app.stepwell.gql(OUTPUT, {"id": handle}) for handle in handles]
    assert "forty-two" in json.dumps(outputs)
    shown = [
        json.dumps([found, outputs]),
        json.dumps(app.stepwell.run(run["run_id"])),
        app.stepwell.http.get(f"/v1/runs/{run['run_id']}/jobs").text,
        app.stepwell.log_tail(100_000),
    ]
    assert [text for text in shown if AI_KEY in text] == []
    database = app.stepwell.server.stored_bytes()
    assert run["run_id"].encode() in database
    assert b"forty-two" in database
    assert AI_KEY.encode() not in database


def test_wrapped_model(app: SdkApp, key: str) -> None:
    assert app.run("wraps", key)["output"] == "six by seven? 42"
    assert app.labels(key) == ["think"]
