import json
from typing import Any

import pytest

from apps.engine.event_stream import EventEntry
from apps.engine.protocol.ids import is_ulid
from apps.engine.protocol.terminal import terminal_events

NOW = 1_795_438_264_098
RUN = "01M847BFKVTYRNXZHW7NAV18SY"
EVENT = b'{"data":{"x":1.0},"id":"e1","name":"app/basic","ts":1795438229081,"user":{}}'
WITH_META = b'{"data":{},"id":"e2","meta":{"sessions":{"a":"1"}},"name":"app/basic","ts":1,"user":{}}'
ERROR = b'{"error":"invalid status code: 500","message":"xx","name":"ValueError"}'


def ended(status: str, **given: Any) -> list[EventEntry]:
    arguments: dict[str, Any] = {
        "slug": "my-app-basic",
        "run_id": RUN,
        "status": status,
        "events": [EVENT],
        "result": None,
        "error": None,
        "correlation_ids": [],
        "now_ms": NOW,
        "env_id": "env",
        "account_id": "account",
    }
    return terminal_events(**(arguments | given))


def test_a_completed_run() -> None:
    (finished,) = ended("Completed", result=b'{"ok":true}')
    assert finished.body == (
        b'{"data":{"_inngest":{"status":"Completed"},"event":%b,"events":[%b],"function_id":"my-app-basic",'
        b'"result":{"ok":true},"run_id":"01M847BFKVTYRNXZHW7NAV18SY"},"id":"%b",'
        b'"name":"inngest/function.finished","ts":1795438264098,"user":{}}'
    ) % (EVENT, EVENT, finished.internal_id.encode())
    assert is_ulid(finished.internal_id)
    assert finished[1:4] == ("env", "account", "inngest/function.finished")
    assert finished.context.source == "engine"
    assert finished.context.remember is False


def test_a_failed_run_is_told_twice_with_the_same_data() -> None:
    finished, failed = ended("Failed", result=b'{"code":"unknown"}', error=ERROR)
    told, again = json.loads(finished.body), json.loads(failed.body)
    assert told["data"] == again["data"]
    assert told["data"]["error"] == json.loads(ERROR)
    assert told["data"]["result"] == {"code": "unknown"}
    assert told["data"]["_inngest"] == {"status": "Failed"}
    assert (told["name"], told["id"]) == ("inngest/function.finished", finished.internal_id)
    assert (again["name"], again["id"]) == ("inngest/function.failed", RUN)
    assert failed.internal_id not in (RUN, finished.internal_id)
    assert failed.context.remember is True


def test_a_cancelled_run_has_neither_result_nor_error() -> None:
    finished, cancelled = ended("Cancelled", result=b"1", error=ERROR)
    assert cancelled.name == "inngest/function.cancelled"
    assert set(json.loads(finished.body)["data"]) == {"_inngest", "event", "events", "function_id", "run_id"}
    assert json.loads(cancelled.body)["data"] == json.loads(finished.body)["data"]


def test_members_without_a_value_are_absent() -> None:
    (finished,) = ended("Completed")
    assert "result" not in json.loads(finished.body)["data"]
    (finished,) = ended("Completed", result=b"null")
    assert json.loads(finished.body)["data"]["result"] is None


@pytest.mark.parametrize("name", ["inngest/function.failed", "inngest/function.finished"])
def test_runs_of_these_events_are_silent(name: str) -> None:
    event = EVENT.replace(b"app/basic", name.encode())
    assert ended("Failed", events=[event], error=ERROR) == []


def test_runs_of_cancelled_events_are_not() -> None:
    event = EVENT.replace(b"app/basic", b"inngest/function.cancelled")
    assert len(ended("Completed", events=[event])) == 1


def test_the_invoker_is_named() -> None:
    finished, failed = ended("Failed", error=ERROR, correlation_ids=["RUN.step"])
    assert json.loads(finished.body)["data"]["correlation_id"] == "RUN.step"
    assert finished.context.correlation_id == "RUN.step"
    assert failed.context.correlation_id == ""


def test_a_batch_reports_its_first_event_and_each_that_somebody_waits_for() -> None:
    entries = ended(
        "Completed", events=[EVENT, WITH_META, EVENT, WITH_META], correlation_ids=[None, "c1", ""]
    )
    told = [json.loads(entry.body) for entry in entries]
    assert [event["data"]["event"]["id"] for event in told] == ["e1", "e2"]
    assert [event["data"].get("correlation_id") for event in told] == [None, "c1"]
    assert [len(event["data"]["events"]) for event in told] == [4, 4]
    assert [event.get("meta") for event in told] == [None, {"sessions": {"a": "1"}}]
    assert list(told[1]) == ["data", "id", "meta", "name", "ts", "user"]
