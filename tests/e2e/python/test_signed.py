"""A server of kind cloud: every request of either side is signed, and every wrong key is refused."""

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.conftest import EVENT_KEY, SIGNING_KEY
from tests.e2e.harness import Stepwell
from tests.e2e.python.conftest import ScriptStarter

OTHER_KEY = "signkey-test-ffffffffffffffffffffffffffffffff"


@pytest.fixture(scope="module")
def signed_app(signed_stepwell: Stepwell, start_script: ScriptStarter) -> Iterator[AppProcess]:
    app = start_script("small_app.py", signed_stepwell, APP_ID="py-signed")
    yield app
    app.stop()


@pytest.mark.parametrize(
    "value",
    [
        "é<>&\u2028 💥",
        [1.5, 1.0, 1e21, -0.0, 1e-7, 2**53 - 1],
        {"b": 1, "a": {"é": 1, "e": 2, "": 3}, "\u20ac": 0, "😀": 0, "\ufb33": 0},
        '\x00\x1f\\"/',
    ],
    ids=["text", "numbers", "key order", "controls"],
)
def test_signature_holds_for_data(
    signed_stepwell: Stepwell, signed_app: AppProcess, key: str, value: object
) -> None:
    event_id = signed_stepwell.send("py-signed/echo", {"key": key, "value": value})
    run = signed_stepwell.wait_for_run(event_id)
    assert run["output"] == {"value": value, "stepped": value}
    assert signed_app.labels(key) == ["echo", "end"]


def test_integer_beyond_what_json_of_javascript_holds(
    signed_stepwell: Stepwell, signed_app: AppProcess, key: str
) -> None:
    """It loses precision, as canonical JSON says, and the signature holds."""
    event_id = signed_stepwell.send("py-signed/echo", {"key": key, "value": 12345678901234567890})
    run = signed_stepwell.wait_for_run(event_id)
    assert run["output"]["stepped"] == 12345678901234567000


def test_step_sends_an_event_with_the_event_key(
    signed_stepwell: Stepwell, signed_app: AppProcess, key: str
) -> None:
    run = signed_stepwell.wait_for_run(signed_stepwell.send("py-signed/relay", {"key": key, "hide": 1}))
    (event_id,) = run["output"]
    assert signed_stepwell.wait_for_run(event_id)["output"] == {"value": 1, "stepped": 1}


def test_large_state_is_fetched_with_the_signing_key(
    signed_stepwell: Stepwell, signed_app: AppProcess, key: str
) -> None:
    run = signed_stepwell.wait_for_run(signed_stepwell.send("py-signed/large", {"key": key}), timeout=30)
    assert run["output"] == [1_000_000] * 5
    assert signed_app.labels(key) == list("abcde")


def test_app_refuses_calls_without_a_signature(signed_app: AppProcess, key: str) -> None:
    answer = httpx.post(f"{signed_app.url}?fnId=py-signed-echo&stepId=step", json={})
    assert answer.status_code == 401
    assert answer.json() == {"message": "Unauthorized"}


def test_sync_in_band(signed_stepwell: Stepwell, signed_app: AppProcess) -> None:
    """The app answers the signed ping with its functions and calls nothing back."""
    record = signed_stepwell.sync_by_server(signed_app.url)
    assert (record["name"], record["connected"], record["functionCount"]) == ("py-signed", True, 7)
    assert "POST /fn/register" not in signed_app.log_tail(1000)


def test_sync_started_by_a_deploy_hook(signed_stepwell: Stepwell, signed_app: AppProcess) -> None:
    """The app registers with its own key."""
    answer = signed_stepwell.sync(signed_app.url)
    assert answer.status_code == 200
    assert answer.json()["ok"] is True


def test_app_with_another_key_is_refused(
    signed_stepwell: Stepwell, start_script: ScriptStarter, app_id: str
) -> None:
    """By the app, which does not trust the ping, and by the server, where the app registers by itself."""
    app = start_script(
        "small_app.py", signed_stepwell, sync=False, APP_ID=app_id, INNGEST_SIGNING_KEY=OTHER_KEY
    )
    record = signed_stepwell.sync_by_server(app.url)
    assert record["connected"] is False
    assert record["error"] == "unauthorized"
    signed_stepwell.sync(app.url)
    assert "POST /fn/register" not in app.log_tail()
    assert signed_stepwell.functions(app_id) == []
    app.stop()


def test_app_that_changed_its_key_is_tried_again_and_fails(
    signed_stepwell: Stepwell, start_script: ScriptStarter, app_id: str, key: str
) -> None:
    app = start_script("small_app.py", signed_stepwell, APP_ID=app_id)
    app.restart({"INNGEST_SIGNING_KEY": OTHER_KEY})
    event_id = signed_stepwell.send(f"{app_id}/fails", {"key": key})
    run = signed_stepwell.wait_for_run(event_id, status="Failed")
    assert run["output"]["message"] == "Your server returned HTTP 401 before the SDK responded."
    assert app.labels(key) == []
    app.stop()


def test_fallback_key_of_the_app(
    signed_stepwell: Stepwell, start_script: ScriptStarter, app_id: str, key: str
) -> None:
    """Keys can be rotated: the app knows the server's key as its second one."""
    app = start_script(
        "small_app.py",
        signed_stepwell,
        APP_ID=app_id,
        INNGEST_SIGNING_KEY=OTHER_KEY,
        INNGEST_SIGNING_KEY_FALLBACK=SIGNING_KEY,
    )
    event_id = signed_stepwell.send(f"{app_id}/echo", {"key": key, "value": 1})
    assert signed_stepwell.wait_for_run(event_id)["output"] == {"value": 1, "stepped": 1}
    app.stop()


@pytest.mark.parametrize("event_key", ["wrong", "test", f"{EVENT_KEY}x"])
def test_event_key_that_is_not_known(signed_stepwell: Stepwell, event_key: str) -> None:
    answer = httpx.post(f"{signed_stepwell.base_url}/e/{event_key}", json={"name": "py-signed/echo"})
    assert answer.status_code == 401
    assert answer.json()["error"] == "Event key not found"


@pytest.mark.parametrize("path", ["/v1/events", "/v0/runs/01M847ADSH6M07ZNE1VSGZJT5Q/actions"])
def test_api_without_the_signing_key(signed_stepwell: Stepwell, path: str) -> None:
    for headers in ({}, {"Authorization": f"Bearer {OTHER_KEY}"}):
        assert httpx.get(signed_stepwell.base_url + path, headers=headers).status_code == 401
