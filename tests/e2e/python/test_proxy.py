"""Answers that do not come from an SDK: retried, then shown in a way that a person can read."""

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Json, Stepwell
from tests.e2e.python.conftest import ScriptStarter

APP = "py-proxy"


@pytest.fixture(scope="module")
def proxy(stepwell: Stepwell, start_script: ScriptStarter) -> Iterator[AppProcess]:
    """Registered by hand, with one function of two attempts."""
    app = start_script("proxy_app.py", stepwell, sync=False)
    step = {
        "id": "step",
        "name": "step",
        "runtime": {"type": "http", "url": f"{app.url}?fnId={APP}-fn&stepId=step"},
        "retries": {"attempts": 1},
    }
    function = {
        "id": f"{APP}-fn",
        "name": "fn",
        "triggers": [{"event": f"{APP}/go"}],
        "steps": {"step": step},
    }
    body = {"appName": APP, "url": app.url, "sdk": "py:v0.0.0", "framework": "", "functions": [function]}
    answer = stepwell.http.post("/fn/register", json=body)
    assert answer.status_code == 200, answer.text
    yield app
    app.stop()


def _fail(stepwell: Stepwell, proxy: AppProcess, key: str, answer: Json) -> Json:
    httpx.post(f"{proxy.base_url}/_answer", json=answer)
    run = stepwell.wait_for_run(stepwell.send(f"{APP}/go", {"key": key}), status="Failed")
    assert [call["attempt"] for call in proxy.calls(key)] == [0, 1]
    error: Json = run["output"]
    return error


def test_error_page_of_a_proxy(stepwell: Stepwell, proxy: AppProcess, key: str) -> None:
    page = "<h1>502 Bad Gateway</h1>"
    error = _fail(stepwell, proxy, key, {"status": 502, "type": "text/html", "body": page, "headers": {}})
    message = "Your server returned HTTP 502 before the SDK responded."
    assert (error["name"], error["message"]) == ("Server returned a fatal error", message)
    assert page in error["stack"]
    assert "text/html" in error["stack"]


def test_success_that_is_none(stepwell: Stepwell, proxy: AppProcess, key: str) -> None:
    error = _fail(stepwell, proxy, key, {"status": 200, "type": "text/plain", "body": "hello", "headers": {}})
    assert error["error"] == "The response did not come from an Inngest SDK"
    assert error["message"] == "hello"


@pytest.mark.parametrize(
    "body",
    ["no json", "[null]", '[{"op":"Nonsense","id":"a"}]', "7"],
    ids=["text", "null", "unknown op", "number"],
)
def test_malformed_steps(stepwell: Stepwell, proxy: AppProcess, key: str, body: str) -> None:
    headers = {"X-Inngest-SDK": "inngest-py:v0.0.0"}
    answer = {"status": 206, "type": "application/json", "body": body, "headers": headers}
    error = _fail(stepwell, proxy, key, answer)
    assert error["message"].startswith("error reading generator opcode response: ")


def test_plain_text_error_of_an_sdk(stepwell: Stepwell, proxy: AppProcess, key: str) -> None:
    headers = {"X-Inngest-SDK": "inngest-py:v0.0.0"}
    error = _fail(
        stepwell,
        proxy,
        key,
        {"status": 418, "type": "text/plain", "body": "short and stout", "headers": headers},
    )
    assert error == {"error": "invalid status code: 418", "name": "Error", "message": "short and stout"}


def test_ping_of_what_is_no_app(stepwell: Stepwell, proxy: AppProcess) -> None:
    answer = {"status": 200, "type": "text/html", "body": "<p>It works!</p>", "headers": {}}
    httpx.post(f"{proxy.base_url}/_answer", json=answer)
    record = stepwell.sync_by_server(f"{proxy.url}?other")
    assert (record["connected"], record["error"]) == (False, "not_sdk")


def test_redirect_is_followed_with_the_body(
    stepwell: Stepwell, proxy: AppProcess, app: AppProcess, key: str
) -> None:
    """307 to another app's address: that app does not know the function, and says so."""
    headers = {"Location": app.url}
    answer = {"status": 307, "type": "text/plain", "body": "", "headers": headers}
    error = _fail(stepwell, proxy, key, answer)
    assert error["name"] == "FunctionNotFoundError"
