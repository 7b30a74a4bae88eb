"""Registration of the Go dialect: out of band in dev, in band wherever the PUT is signed."""

import time

import httpx

from tests.e2e.app_process import AppProcess
from tests.e2e.apps.dialects.wire import sign
from tests.e2e.conftest import AppStarter
from tests.e2e.dialect_calls import bodies
from tests.e2e.go.conftest import COMMAND
from tests.e2e.harness import Json, Stepwell
from tests.e2e.server_process import ROOT


def _configuration(stepwell: Stepwell, slug: str) -> Json:
    data = stepwell.gql(
        "query ($slug: String!) { functionBySlug(query: {functionSlug: $slug}) "
        "{ name slug config triggers { type value } } }",
        {"slug": slug},
    )
    found: Json = data["functionBySlug"]
    return found


def test_out_of_band_sync_is_repeatable(stepwell: Stepwell, app: AppProcess) -> None:
    """Go answers its PUT with 200 and no body."""
    answer = stepwell.sync(app.url)
    assert (answer.status_code, answer.content) == (200, b"")
    record = stepwell.sync_by_server(app.url)
    assert (record["name"], record["connected"], record["error"]) == ("go", True, None)


def test_cron_is_registered(stepwell: Stepwell, app: AppProcess) -> None:
    found = _configuration(stepwell, "go-cron")
    assert found["triggers"] == [{"type": "CRON", "value": "TZ=Europe/Paris 0 5 1 1 *"}]


def test_configuration_with_the_quirks_of_go(stepwell: Stepwell, app: AppProcess) -> None:
    """Null members, a null `Singleton`, no `runtime.type`, `step=step` in the URL, scope `Fn`, `hash`."""
    found = next(item for item in stepwell.functions("go") if item["id"] == "go-limited")
    config = found["config"]
    assert (config["Singleton"], config["retries"]) == (None, None)
    assert config["concurrency"]["step"] == [{"limit": 2, "key": "event.data.key", "scope": "Fn", "hash": ""}]
    assert config["steps"]["step"]["runtime"] == {"url": f"{app.url}?fnId=go-limited&step=step"}


def test_in_band_sync_of_a_signed_server(signed_stepwell: Stepwell, signed_app: AppProcess) -> None:
    record = signed_stepwell.sync_by_server(signed_app.url)
    assert (record["name"], record["connected"], record["error"]) == ("go", True, None)
    assert record["functionCount"] == len(signed_stepwell.functions("go"))
    assert _configuration(signed_stepwell, "go-chain")["triggers"] == [{"type": "EVENT", "value": "go/chain"}]


def test_signed_run_with_what_canonical_json_changes(
    signed_stepwell: Stepwell, signed_app: AppProcess, key: str
) -> None:
    value = {"b": "é<>&\u2028", "a": 1.50, "z": [12345678901234567890, 1e21, 1.0], "é": None}
    event_id = signed_stepwell.send("go/plain", {"key": key, "value": value})
    run = signed_stepwell.wait_for_run(event_id, function="go-plain")
    assert run["output"] == {
        "echo": {"b": "é<>&\u2028", "a": 1.5, "z": [12345678901234567000, 1e21, 1], "é": None}
    }


def test_signed_steps_and_events(signed_stepwell: Stepwell, signed_app: AppProcess, key: str) -> None:
    run = signed_stepwell.wait_for_run(
        signed_stepwell.send("go/sending", {"key": key}), function="go-sending"
    )
    for event_id in run["output"]:
        signed_stepwell.wait_for_run(event_id, function="go-sent")
    assert sorted(bodies(signed_app, key)) == ["sent 1", "sent 2", "sent 3"]


def test_trust_probe_and_wrong_signatures(signed_stepwell: Stepwell, signed_app: AppProcess) -> None:
    signing_key = signed_stepwell.signing_key
    old = int(time.time()) - 301
    for signature, status in (
        (sign(signing_key, b"{}"), 200),
        (sign(signing_key, b"{}", old), 401),
        (sign("signkey-test-ffff", b"{}"), 401),
        ("", 401),
    ):
        headers = {"X-Inngest-Signature": signature}
        answer = httpx.post(f"{signed_app.url}?probe=trust", content=b"{}", headers=headers)
        assert answer.status_code == status


def test_app_with_another_key_is_not_registered(signed_stepwell: Stepwell, app_starter: AppStarter) -> None:
    environment = {"APP_ID": "go-stranger", "INNGEST_SIGNING_KEY": f"signkey-test-{'ab' * 16}"}
    stranger = app_starter(COMMAND, ROOT, signed_stepwell, environment=environment, sync=False)
    record = signed_stepwell.sync_by_server(stranger.url)
    assert (record["connected"], record["functionCount"]) == (False, 0)
    assert record["error"] == "unauthorized"


def test_runs_of_an_app_whose_key_has_changed_fail(
    signed_stepwell: Stepwell, app_starter: AppStarter, key: str
) -> None:
    environment = {"APP_ID": "go-changed"}
    app = app_starter(COMMAND, ROOT, signed_stepwell, environment=environment)
    app.restart({"INNGEST_SIGNING_KEY": f"signkey-test-{'ab' * 16}"})
    event_id = signed_stepwell.send("go-changed/sized", {"key": key, "sizes": []})
    run = signed_stepwell.wait_for_run(event_id, status="Failed", function="go-changed-sized")
    message = "Your server returned HTTP 401 before the SDK responded."
    assert (run["output"]["name"], run["output"]["message"]) == ("Server returned a fatal error", message)
    assert bodies(app, key) == []
