"""With the SDK's encryption middleware the server never sees the plain values."""

from collections.abc import Iterator

import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Stepwell
from tests.e2e.python.conftest import ScriptStarter

SECRET = "a plain secret é"


@pytest.fixture(scope="module")
def encrypted_app(stepwell: Stepwell, start_script: ScriptStarter) -> Iterator[AppProcess]:
    app = start_script("small_app.py", stepwell, APP_ID="py-encrypted", ENCRYPTED="1")
    yield app
    app.stop()


def test_step_output_is_encrypted_and_read_back(
    stepwell: Stepwell, encrypted_app: AppProcess, key: str
) -> None:
    run = stepwell.wait_for_run(stepwell.send("py-encrypted/echo", {"key": key, "value": SECRET}))
    (end,) = [call for call in encrypted_app.calls(key) if call["label"] == "end"]
    assert end["stepped"] == SECRET
    assert encrypted_app.labels(key) == ["echo", "end"]
    assert run["output"]["__ENCRYPTED__"] is True
    assert run["output"]["__STRATEGY__"] == "inngest/libsodium"
    assert SECRET not in str(run)


def test_field_of_an_event_is_encrypted(stepwell: Stepwell, encrypted_app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py-encrypted/relay", {"key": key, "hide": SECRET}))
    encrypted_app.wait_for_label(key, "end")
    (end,) = [call for call in encrypted_app.calls(key) if call["label"] == "end"]
    assert end["secret"] == SECRET
    assert run["output"]["__ENCRYPTED__"] is True
    sent = stepwell.http.get("/v1/events", params={"name": "py-encrypted/echo"}).json()["data"]
    (event,) = [event for event in sent if event["data"]["key"] == key]
    assert event["data"]["secret"]["__ENCRYPTED__"] is True
    assert SECRET not in str(event)
