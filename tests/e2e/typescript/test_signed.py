"""A server of kind cloud: requests of either side are signed, and wrong keys are refused."""

import httpx
import pytest

from tests.e2e.harness import Json, Stepwell
from tests.e2e.typescript.conftest import NodeStarter
from tests.e2e.typescript.sdk_app import SdkApp

pytestmark = pytest.mark.needs_node

OTHER_KEY = "signkey-test-ffffffffffffffffffffffffffffffff"


@pytest.fixture(scope="module", params=["v4", "v3"])
def signed(request: pytest.FixtureRequest, signed_stepwell: Stepwell, start_node: NodeStarter) -> SdkApp:
    app = start_node(request.param, signed_stepwell, prefix=f"signed-{request.param}", NODE_ENV="production")
    record = signed_stepwell.sync_by_server(app.url("counted"))
    assert record["connected"], record
    return app


@pytest.mark.parametrize(
    "value",
    [
        "é<>&\u2028 💥",
        [1.5, 0.1, 1e21, 1e-7, 2**53 - 1],
        {"b": 1, "a": {"é": 1, "e": 2, "": 3}, "\u20ac": 0, "😀": 0, "\ufb33": 0},
        '\x00\x1f\\"/',
    ],
    ids=["text", "numbers", "key order", "controls"],
)
def test_signature_holds_for_data(signed: SdkApp, key: str, value: object) -> None:
    output = signed.run("plain", key, value=value)["output"]
    assert output["data"] == {"key": key, "value": value}
    assert [request.signed for request in signed.requests(key)] == [True]


def test_integer_beyond_what_javascript_holds(signed: SdkApp, key: str) -> None:
    """It loses precision, as canonical JSON says, and the signature holds."""
    output = signed.run("plain", key, value=12345678901234567890)["output"]
    assert output["data"]["value"] == 12345678901234567000


def test_steps_events_and_state_with_keys(signed: SdkApp, key: str) -> None:
    """Checkpoints, sent events and the API of a large state each need one."""
    assert signed.run("chain", key)["output"] == [1, {"one": 1, "doubled": 2}, None]
    assert signed.labels(key) == ["one", "two", "three"]
    assert signed.run("large", f"{key}-large", patience=40)["output"] == [2_000_000] * 3
    assert signed.requests(f"{key}-large")[-1].use_api is True
    signed.run("sends", f"{key}-sends")
    signed.process.wait_for_label(f"{key}-sends", "heard", count=2)


def test_checkpoints_are_accepted_by_the_signing_key(signed: SdkApp, key: str) -> None:
    run = signed.run("counted:chain", key)
    assert signed.checkpoints(run["run_id"]) == ([] if signed.is_v3 else [200, 200, 200])


def test_app_refuses_calls_without_a_signature(signed: SdkApp) -> None:
    call = {"event": {}, "events": [{}], "steps": {}, "ctx": {}, "version": 2}
    answer = httpx.post(f"{signed.process.url}?fnId={signed.prefix}-plain&stepId=step", json=call)
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert "x-inngest-signature" not in answer.headers


def test_sync_in_band(signed: SdkApp) -> None:
    """The app answers the signed ping with its functions and calls nothing back."""
    before = signed.registrations()
    record = signed.stepwell.sync_by_server(signed.url("counted"))
    assert (record["name"], record["connected"]) == (f"{signed.prefix}-counted", True)
    assert record["functionCount"] == 11
    assert signed.registrations() == before


@pytest.mark.parametrize("version", ["v4", "v3"])
def test_sync_out_of_band(signed_stepwell: Stepwell, start_node: NodeStarter, key: str, version: str) -> None:
    """An app that refuses to answer in band registers itself, with its key."""
    name = f"apart-{version}"
    app = start_node(
        version,
        signed_stepwell,
        prefix=name,
        sync=False,
        NODE_ENV="production",
        INNGEST_ALLOW_IN_BAND_SYNC="false",
    )
    record = signed_stepwell.sync_by_server(app.url("counted"))
    assert (record["name"], record["connected"]) == (f"{name}-counted", True)
    assert set(app.registrations()) == {200}
    assert app.run("counted:plain", key)["output"]["data"] == {"key": key}
    app.process.stop()


@pytest.mark.parametrize("version", ["v4", "v3"])
def test_app_with_another_key(
    signed_stepwell: Stepwell, start_node: NodeStarter, key: str, version: str
) -> None:
    """Refused by the app, which does not trust the ping, and by the server, which does not know the key;
    a run of an app that changed its key fails."""
    name = f"other-key-{version}"
    app = start_node(
        version,
        signed_stepwell,
        prefix=name,
        sync=False,
        NODE_ENV="production",
        INNGEST_SIGNING_KEY=OTHER_KEY,
    )
    assert _sync_error(signed_stepwell, app) == "unauthorized"
    signed_stepwell.sync(app.url("counted"))
    assert app.registrations() == [401]
    assert signed_stepwell.functions(f"{name}-counted") == []
    app.process.restart({"INNGEST_SIGNING_KEY": signed_stepwell.signing_key})
    assert signed_stepwell.sync_by_server(app.process.url)["connected"] is True
    app.process.restart({"INNGEST_SIGNING_KEY": OTHER_KEY})
    run = app.run("no-retries", key, status="Failed")
    assert run["output"]["message"] == "Your server returned HTTP 401 before the SDK responded."
    assert app.labels(key) == []
    app.process.stop()


def _sync_error(stepwell: Stepwell, app: SdkApp) -> str:
    record: Json = stepwell.sync_by_server(app.process.url)
    assert record["connected"] is False
    return str(record["error"])
