"""GET /v1/events and what hangs below it (spec 03, 4.3 and 4.4)."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apps.engine import clock
from apps.engine.protocol.dates import rfc3339
from apps.engine.records import EventHandled
from tests.integration.history.life import ACCOUNT, ENV, EVENT, FUNCTION, LIFE, RUN, event, scheduled
from tests.integration.history.seed import write, write_event

pytestmark = pytest.mark.django_db

AT = 1795439221223
NOW = AT + 60_000
KEY = "40768630-6bea-56a2-af77-60abc06ba30f"


@pytest.fixture(autouse=True)
def _now() -> Any:
    clock.set_time_source(lambda: NOW / 1000)
    yield
    clock.set_time_source(None)


def event_id(number: int) -> str:
    return f"01M8488PSWMZBJ8765PVQP{number:04d}"


def item(internal_id: str = EVENT, **changes: Any) -> dict[str, Any]:
    fields = {
        "internal_id": internal_id,
        "account_id": ACCOUNT,
        "environment_id": ENV,
        "received_at": "2026-11-23T13:07:01.223Z",
        "id": "ext-1",
        "name": "demo/hello",
        "data": {"a": 1},
        "ts": 1795439221000,
        "source": "",
        "source_id": None,
    }
    return {**fields, **changes}


def ids(rest: Client, query: str) -> list[str]:
    answer = rest.get(f"/v1/events{query}")
    assert answer.status_code == 200, answer.content
    return [found["internal_id"] for found in answer.json()["data"]]


def test_one_event(rest: Client) -> None:
    write_event(f"{AT}-0", event())
    answer = rest.get(f"/v1/events/{EVENT}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "private, max-age=5"
    assert answer.json() == {
        "data": item(),
        "metadata": {"fetched_at": rfc3339(NOW), "cached_until": rfc3339(NOW + 5000)},
    }


def test_the_users_json_comes_back_as_it_was(rest: Client) -> None:
    data = '{"big": 12345678901234567890123, "float": 1.50, "text": "h\u00e9\\u0000"}'
    body = f'{{"data":{data},"name":"demo/hello","user":{{"id":1}},"v":"2"}}'.encode()
    write_event(f"{AT}-0", event(body=body))
    content = rest.get(f"/v1/events/{EVENT}").content.decode()
    assert data in content
    found = json.loads(content)["data"]
    assert (found["user"], found["v"], found["id"], found["ts"]) == ({"id": 1}, "2", EVENT, AT)


@pytest.mark.usefixtures("server_mode")
@pytest.mark.parametrize(
    ("source", "sender", "shown", "shown_id"),
    [
        ("api", f"key:{KEY}", "key", KEY),
        ("api", "key", "key", None),
        ("webhook", f"webhook:{KEY}", "webhook", KEY),
        ("invoke", "api", "api", None),
        ("api", "dashboard", "dashboard", None),
        ("invoke", "", "platform", None),
        ("cron", "", "platform", None),
        ("engine", "", "platform", None),
        ("api", "", "", None),
    ],
)
def test_where_an_event_came_from(
    rest: Client, source: str, sender: str, shown: str, shown_id: str | None
) -> None:
    write_event(f"{AT}-0", event(source=source)._replace(sender=sender))
    headers = {"authorization": "Bearer signkey-prod-deadbeef"}
    expected = item(source=shown, source_id=shown_id)
    assert rest.get(f"/v1/events/{EVENT}", headers=headers).json()["data"] == expected
    assert rest.get("/v1/events", headers=headers).json()["data"] == [expected]


def test_dev_mode_says_nothing_of_it(rest: Client) -> None:
    write_event(f"{AT}-0", event()._replace(sender=f"key:{KEY}"))
    assert rest.get(f"/v1/events/{EVENT}").json()["data"] == item()


def test_a_lower_case_id_is_the_same_id(rest: Client) -> None:
    write_event(f"{AT}-0", event())
    assert rest.get(f"/v1/events/{EVENT.lower()}").json()["data"] == item()


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/v1/events/nope", 400, "Invalid event ID: nope"),
        ("/v1/events/nope/runs", 400, "Invalid event ID: nope"),
        (f"/v1/events/{EVENT}", 404, "Event not found"),
        ("/v1/events?cursor=x", 400, "Invalid cursor query parameter"),
        ("/v1/events?received_after=x", 400, "Invalid received_after query parameter"),
        ("/v1/events?received_before=x", 400, "Invalid received_before query parameter"),
    ],
)
def test_errors(rest: Client, path: str, status: int, error: str) -> None:
    answer = rest.get(path)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/json"
    assert "Cache-Control" not in answer
    assert (
        answer.content
        == json.dumps({"error": error, "data": None, "status": status}, separators=(",", ":")).encode()
        + b"\n"
    )


def test_the_list_is_newest_first_and_pages_by_internal_id(rest: Client) -> None:
    for number in range(3):
        write_event(f"{AT + number}-0", event(internal_id=event_id(number)))
    answer = rest.get("/v1/events?limit=2")
    assert answer.json()["data"][1] == item(event_id(1), received_at="2026-11-23T13:07:01.224Z")
    assert answer.json()["metadata"] == {"fetched_at": rfc3339(NOW)}
    assert ids(rest, "?limit=2") == [event_id(2), event_id(1)]
    assert ids(rest, f"?cursor={event_id(1)}") == [event_id(0)]


@pytest.mark.parametrize(
    ("limit", "count"), [("0", 20), ("x", 20), ("-3", 1), ("1", 1), ("101", 100), ("", 20)]
)
def test_limits(rest: Client, limit: str, count: int) -> None:
    for number in range(102):
        write_event(f"{AT}-{number}", event(internal_id=event_id(number)))
    assert len(ids(rest, f"?limit={limit}")) == count


def test_filters(rest: Client) -> None:
    hour = 3600 * 1000
    write_event(f"{NOW - hour - 1}-0", event("a", internal_id=event_id(0)))
    write_event(f"{NOW - 5000}-0", event("a", internal_id=event_id(1)))
    write_event(f"{NOW - 3000}-0", event("b", internal_id=event_id(2)))
    assert ids(rest, "") == [event_id(2), event_id(1)]
    assert ids(rest, "?name=a") == [event_id(1)]
    assert ids(rest, "?received_after=2026-11-23") == [event_id(2), event_id(1), event_id(0)]
    assert ids(rest, f"?received_before={rfc3339(NOW - 4000)}") == [event_id(1)]


def test_internal_events_are_listed_when_they_started_a_run(rest: Client) -> None:
    for number, name in enumerate(["inngest/function.finished", "inngest/function.failed"]):
        write_event(f"{AT}-{number}", event(name, internal_id=event_id(number)))
    write(EventHandled(ENV, event_id(0), f"{AT}-0", 1), EventHandled(ENV, event_id(1), f"{AT}-1", 1, [RUN]))
    assert ids(rest, "") == [event_id(1)]


def test_runs_of_an_event(rest: Client) -> None:
    write(*LIFE)
    answer = rest.get(f"/v1/events/{EVENT}/runs")
    assert answer["Cache-Control"] == "private, max-age=15"
    assert answer.json()["data"] == [
        {
            "run_id": RUN,
            "run_started_at": "1970-01-01T00:00:01Z",
            "function_id": FUNCTION,
            "function_version": 3,
            "environment_id": ENV,
            "event_id": EVENT,
            "status": "Completed",
            "ended_at": "1970-01-01T00:00:01.3Z",
            "output": "done",
        }
    ]


def test_runs_of_an_unknown_event(rest: Client) -> None:
    assert rest.get(f"/v1/events/{EVENT}/runs").json()["data"] == []


@pytest.mark.parametrize("count", [1, 15])
def test_the_number_of_queries_does_not_grow(
    rest: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        write_event(f"{AT}-{number}", event(internal_id=event_id(number)))
        write(scheduled(f"01RUN{number}"))
    with django_assert_num_queries(2):
        assert len(ids(rest, "")) == count
    with django_assert_num_queries(3):
        assert len(rest.get(f"/v1/events/{EVENT}/runs").json()["data"]) == count
