"""Registration of the Kotlin dialect, and its signed mode: raw bytes, and a key with its prefix."""

from tests.e2e.app_process import AppProcess
from tests.e2e.conftest import AppStarter
from tests.e2e.dialect_calls import bodies
from tests.e2e.harness import Json, Stepwell
from tests.e2e.java.conftest import COMMAND, environment_of
from tests.e2e.server_process import ROOT


def _configuration(stepwell: Stepwell, slug: str) -> Json:
    functions = stepwell.functions(slug.partition("-")[0])
    found: Json = next(function["config"] for function in functions if function["id"] == slug)
    return found


def test_out_of_band_sync_tells_what_changed(stepwell: Stepwell, app: AppProcess) -> None:
    answer = stepwell.sync(app.url)
    assert (answer.status_code, answer.json()) == (
        200,
        {"message": "Successfully synced.", "modified": False},
    )


def test_sync_that_the_server_begins(stepwell: Stepwell, app: AppProcess) -> None:
    record = stepwell.sync_by_server(app.url)
    assert (record["name"], record["connected"], record["error"]) == ("java", True, None)
    assert record["functionCount"] == len(stepwell.functions("java"))


def test_configuration_is_kept_as_sent(stepwell: Stepwell, app: AppProcess) -> None:
    config = _configuration(stepwell, "java-configured")
    assert config["throttle"] == {"limit": 100, "period": "1s", "burst": 10}
    assert config["concurrency"] == [
        {"limit": 5, "key": "event.data.key", "scope": "fn"},
        {"limit": 50, "key": "'all'", "scope": "env"},
    ]
    assert config["priority"] == {"run": "event.data.n"}


def test_rate_limit_debounce_and_batch_are_accepted(stepwell: Stepwell, app: AppProcess) -> None:
    limited, debounced, batched = (
        _configuration(stepwell, f"java-{name}") for name in ("limited", "debounced", "batched")
    )
    assert limited["rateLimit"] == {"limit": 1, "period": "1h", "key": "event.data.key"}
    assert debounced["debounce"] == {"period": "1s", "timeout": "5s"}
    assert batched["batchEvents"] == {"maxSize": 2, "timeout": "1s"}


def test_failure_handler_is_a_function(stepwell: Stepwell, app: AppProcess) -> None:
    config = _configuration(stepwell, "java-failing-failure")
    expression = "event.data.function_id == 'java-failing'"
    assert config["triggers"] == [{"event": "inngest/function.failed", "expression": expression}]


def test_sync_for_a_server_of_another_kind_is_refused(
    signed_stepwell: Stepwell, stepwell: Stepwell, app_starter: AppStarter
) -> None:
    """The app registers with the dev server, but the ping said cloud."""
    environment = {**environment_of(stepwell), "APP_ID": "javakind"}
    lost = app_starter(COMMAND, ROOT, stepwell, environment=environment, sync=False)
    record = signed_stepwell.sync_by_server(lost.url)
    assert (record["connected"], record["functionCount"]) == (False, 0)
    assert stepwell.functions("javakind") == []


def test_signed_sync_is_out_of_band(signed_stepwell: Stepwell, signed_app: AppProcess) -> None:
    record = signed_stepwell.sync_by_server(signed_app.url)
    assert (record["name"], record["connected"], record["error"]) == ("java", True, None)


def test_signed_run_over_the_raw_bytes(signed_stepwell: Stepwell, signed_app: AppProcess, key: str) -> None:
    value = {"b": "é<>&\u2028", "a": 1.50, "z": [12345678901234567890, 1e21, 1.0], "é": None}
    event_id = signed_stepwell.send("java/plain", {"key": key, "value": value})
    run = signed_stepwell.wait_for_run(event_id)
    assert run["output"] == {
        "echo": {"b": "é<>&\u2028", "a": 1.5, "z": [12345678901234567000, 1e21, 1], "é": None}
    }


def test_signed_steps_and_events(signed_stepwell: Stepwell, signed_app: AppProcess, key: str) -> None:
    run = signed_stepwell.wait_for_run(signed_stepwell.send("java/sending", {"key": key}))
    for event_id in run["output"]:
        signed_stepwell.wait_for_run(event_id)
    assert sorted(bodies(signed_app, key)) == ["sent 1", "sent 2"]


def test_app_with_another_key_is_not_registered(signed_stepwell: Stepwell, app_starter: AppStarter) -> None:
    environment = environment_of(signed_stepwell) | {
        "APP_ID": "javastranger",
        "INNGEST_SIGNING_KEY": f"signkey-test-{'ab' * 16}",
    }
    stranger = app_starter(COMMAND, ROOT, signed_stepwell, environment=environment, sync=False)
    record = signed_stepwell.sync_by_server(stranger.url)
    assert (record["connected"], record["functionCount"]) == (False, 0)
