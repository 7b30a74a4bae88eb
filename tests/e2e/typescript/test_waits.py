"""Sleeps, waits for events and signals, cancellation by events."""

import pytest

from tests.e2e.harness import Json
from tests.e2e.typescript.sdk_app import SdkApp

pytestmark = pytest.mark.needs_node


def test_sleeps(app: SdkApp, key: str) -> None:
    """For a second, and until a third of a second from then."""
    assert app.run("naps", key)["output"] == "awake"
    assert app.labels(key) == ["before", "between", "after"]
    before, between, after = (call["at"] for call in app.process.calls(key))
    assert 1000 <= between - before < 3000
    assert 250 <= after - between < 2000


def test_sleep_until_a_time_that_is_past(app: SdkApp, key: str) -> None:
    assert app.run("sleeps-until-past", key)["output"] == "awake"


def _waiting(app: SdkApp, key: str, by: str) -> str:
    event_id = app.send("waits", key, by=by, timeout="30s")
    app.stepwell.wait_for_pause(event_id)
    return event_id


def test_wait_for_an_event_with_the_same_value(app: SdkApp, key: str) -> None:
    event_id = _waiting(app, key, "match")
    app.send("answer", "another key")
    answer_id = app.send("answer", key, text="é<>&")
    answer = {"name": f"{app.prefix}/answer", "data": {"key": key, "text": "é<>&"}, "id": answer_id}
    assert app.stepwell.wait_for_run(event_id)["output"] == answer


def test_wait_for_an_event_under_a_condition(app: SdkApp, key: str) -> None:
    event_id = _waiting(app, key, "if")
    app.send("answer", key, amount=9.5)
    app.send("answer", "another key", amount=11)
    app.send("answer", key, amount=10)
    assert app.stepwell.wait_for_run(event_id)["output"]["data"]["amount"] == 10


def test_wait_whose_time_runs_out(app: SdkApp, key: str) -> None:
    app.send("answer", key)
    assert app.run("waits", key, by="match", timeout="1s")["output"] is None


def test_event_that_a_step_of_the_same_run_sends(app: SdkApp, key: str) -> None:
    """The wait beside that step gets it; an event sent before the wait does not count."""
    assert app.run("asks", key)["output"] == "in time"


@pytest.mark.parametrize(("event", "data"), [("cancel.match", {}), ("cancel.if", {"sure": True})])
def test_cancelled_by_an_event(app: SdkApp, key: str, event: str, data: Json) -> None:
    event_id = app.send("cancellable", key)
    app.process.wait_for_label(key, "before")
    app.send(event, "another key", **data)
    app.send("cancel.if", key, sure=False)
    app.send(event, key, **data)
    run = app.stepwell.wait_for_run(event_id, status="Cancelled")
    assert run.get("output") is None
    assert app.labels(key) == ["before"]


def test_signal(app: SdkApp, key: str) -> None:
    event_id = app.send("signalled", key, signal=f"go é {key}")
    waiting = app.stepwell.wait_for_pause(event_id)
    sent = app.run("signals", key, signal=f"go é {key}")
    assert sent["output"] == {"runId": waiting}
    signal = {"signal": f"go é {key}", "data": {"from": key}}
    assert app.stepwell.wait_for_run(event_id)["output"] == signal


def test_signal_that_nobody_waits_for(app: SdkApp, key: str) -> None:
    assert app.run("signals", key, signal=key)["output"] == {}


def test_signal_whose_time_runs_out(app: SdkApp, key: str) -> None:
    assert app.run("signalled", key, signal=key, timeout="1s")["output"] is None


def test_second_waiter_for_a_signal_fails(app: SdkApp, key: str) -> None:
    first = app.send("signalled", key, signal=key)
    app.stepwell.wait_for_pause(first)
    run = app.run("signalled", key, signal=key, status="Failed")
    message = "Signal conflict; signal wait already exists for another run"
    assert run["output"]["error"]["message"] == message
    app.run("signals", key, signal=key)
    assert app.stepwell.wait_for_run(first)["output"] == {"signal": key, "data": {"from": key}}


def test_second_waiter_for_a_signal_replaces_the_first(app: SdkApp, key: str) -> None:
    """For the first one it is as if its time had run out."""
    first = app.send("signalled", key, signal=key)
    app.stepwell.wait_for_pause(first)
    second = app.send("signalled", key, signal=key, onConflict="replace")
    assert app.stepwell.wait_for_run(first)["output"] is None
    app.stepwell.wait_for_pause(second)
    app.run("signals", key, signal=key)
    assert app.stepwell.wait_for_run(second)["output"] == {"signal": key, "data": {"from": key}}
