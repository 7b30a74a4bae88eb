"""Events in both shapes (spec 03, 6.11 and 6.12)."""

import base64
import json

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.engine import clock
from apps.runs.choices import RunStatus
from apps.tenancy.models import DEV_ACCOUNT_ID, DEV_ENVIRONMENT_ID, Environment
from tests.integration.api_graphql.data import (
    FROM,
    T0,
    Reply,
    ask,
    make_app,
    make_event,
    make_function,
    make_run,
)

pytestmark = pytest.mark.django_db

LIST = """query($first: Int! = 40, $after: String, $filter: EventsFilter!) {
    eventsV2(first: $first, after: $after, filter: $filter) {
        edges {cursor node {id name}}
        pageInfo {hasNextPage hasPreviousPage startCursor endCursor}
        totalCount
    }
}"""


def listed(reply: Reply) -> list[str]:
    connection = reply.data["eventsV2"]
    assert isinstance(connection, dict)
    return [edge["node"]["name"] for edge in connection["edges"]]


def test_an_event_in_the_current_shape() -> None:
    event = make_event("demo/cfg", {"k": "x"}, external_id="mine", v="2")
    function = make_function(make_app(), "cfg")
    run = make_run(function, event)
    skipped = make_run(function, event, status=RunStatus.SKIPPED, at=T0 + 1)
    query = f"""{{eventV2(id: "{event.internal_id.lower()}") {{
        envID id idempotencyKey name occurredAt receivedAt raw version source {{id}}
        runs {{id status function {{slug}}}}
    }}}}"""
    assert ask(query).data["eventV2"] == {
        "envID": str(DEV_ENVIRONMENT_ID),
        "id": event.internal_id,
        "idempotencyKey": "mine",
        "name": "demo/cfg",
        "occurredAt": "2024-11-23T13:07:01Z",
        "receivedAt": "2024-11-23T13:07:01Z",
        "raw": f'{{"data":{{"k":"x"}},"id":"mine","name":"demo/cfg","ts":{T0},"user":{{}},"v":"2"}}',
        "version": "2",
        "source": None,
        "runs": [
            {"id": run.run_id, "status": "COMPLETED", "function": {"slug": "myapp-cfg"}},
            {"id": skipped.run_id, "status": "SKIPPED", "function": {"slug": "myapp-cfg"}},
        ],
    }


def test_an_unknown_event() -> None:
    ulid = "01M8488PZN38TBQW5R170FD360"
    reply = ask(f'{{eventV2(id: "{ulid}") {{id}}}}')
    assert (reply.status, reply.body["data"], reply.messages) == (200, None, [f"event not found: {ulid}"])
    reply = ask(f'{{event(query: {{eventId: "{ulid}"}}) {{id}}}}')
    assert (reply.status, reply.body["data"]) == (200, {"event": None})
    assert reply.messages == [f"event not found: {ulid}"]
    assert ask('{event(query: {eventId: "x"}) {id}}').messages == ["'x' is not a ULID"]


def test_an_event_accepted_a_moment_ago_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    event = make_event(at=clock.now_ms())
    answers = iter([None, None, event])
    monkeypatch.setattr("apps.events.selectors.event_get", lambda *_: next(answers))
    query = f'{{event(query: {{eventId: "{event.internal_id}"}}) {{id}}}}'
    assert ask(query).data == {"event": {"id": event.internal_id}}


def test_pages_newest_first() -> None:
    events = [make_event(f"demo/{number}", at=T0 + number) for number in range(3)]
    first = ask(LIST, first=2, filter={"from": FROM})
    page = first.data["eventsV2"]
    assert isinstance(page, dict)
    assert [edge["node"]["id"] for edge in page["edges"]] == [events[2].internal_id, events[1].internal_id]
    assert page["totalCount"] == 3
    cursors = [edge["cursor"] for edge in page["edges"]]
    assert page["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": cursors[0],
        "endCursor": cursors[1],
    }
    rest = ask(LIST, first=2, after=cursors[1], filter={"from": FROM}).data["eventsV2"]
    assert isinstance(rest, dict)
    assert [edge["node"]["id"] for edge in rest["edges"]] == [events[0].internal_id]
    assert rest["totalCount"] == 3
    assert rest["pageInfo"]["hasNextPage"] is False
    assert rest["pageInfo"]["hasPreviousPage"] is True


def test_cursors_are_those_of_the_published_api() -> None:
    event = make_event()
    reply = ask(LIST, filter={"from": FROM}).data["eventsV2"]
    assert isinstance(reply, dict)
    cursor = reply["edges"][0]["cursor"]
    assert json.loads(base64.b64decode(cursor)) == {"ID": event.internal_id}


@pytest.mark.parametrize("cursor", ["!", "e30=", "eyJJRCI6IngifQ==", "bnVsbA=="])
def test_a_bad_cursor_is_an_error(cursor: str) -> None:
    reply = ask(LIST, after=cursor, filter={"from": FROM})
    assert reply.status == 200
    assert reply.messages[0].startswith("error decoding eventsv2 cursor: ")


@pytest.mark.parametrize(("first", "size"), [(0, 40), (-1, 40), (1, 1), (51, 51), (52, 40)])
def test_page_sizes(first: int, size: int) -> None:
    for number in range(53):
        make_event(f"demo/{number}", at=T0 + number)
    assert len(listed(ask(LIST, first=first, filter={"from": FROM}))) == size


def test_filters() -> None:
    make_event("demo/early", at=T0)
    make_event("demo/late", {"n": 7}, at=T0 + 2000)
    make_event("inngest/function.finished", at=T0 + 3000)
    assert listed(ask(LIST, filter={"from": FROM})) == ["demo/late", "demo/early"]
    assert listed(ask(LIST, filter={"from": "2024-11-23T13:07:02Z"})) == ["demo/late"]
    assert listed(ask(LIST, filter={"from": FROM, "until": "2024-11-23T13:07:01Z"})) == ["demo/early"]
    assert listed(ask(LIST, filter={"from": FROM, "eventNames": ["demo/early"]})) == ["demo/early"]
    assert listed(ask(LIST, filter={"from": FROM, "includeInternalEvents": True})) == [
        "inngest/function.finished",
        "demo/late",
        "demo/early",
    ]


def test_the_query_is_applied_to_the_event() -> None:
    for number in range(4):
        make_event("demo/n", {"n": number}, at=T0 + number)
    reply = ask(LIST, first=1, filter={"from": FROM, "query": "event.data.n > 0\nevent.data.n < 3"}).data
    connection = reply["eventsV2"]
    assert isinstance(connection, dict)
    assert connection["totalCount"] == 2
    assert len(connection["edges"]) == 1
    bad = ask(LIST, filter={"from": FROM, "query": "event.data.n >"})
    assert bad.messages[0].startswith("Syntax error")


def test_an_event_in_the_legacy_shape() -> None:
    event = make_event("demo/cfg", {"k": [1, 2.0]}, external_id="mine")
    function = make_function(make_app(), "cfg")
    run = make_run(function, event)
    make_run(function, event, status=RunStatus.SKIPPED)
    query = f"""{{event(query: {{eventId: "{event.internal_id}"}}) {{
        id externalID workspace {{id}} name createdAt payload raw schema status pendingRuns totalRuns
        functionRuns {{id functionID status function {{name}} event {{id}} eventID cron batchID}}
    }}}}"""
    assert ask(query).data["event"] == {
        "id": event.internal_id,
        "externalID": "mine",
        "workspace": {"id": str(DEV_ENVIRONMENT_ID)},
        "name": "demo/cfg",
        "createdAt": "2024-11-23T13:07:01Z",
        "payload": '{"k":[1,2.0]}',
        "raw": f'{{"data":{{"k":[1,2.0]}},"id":"mine","name":"demo/cfg","ts":{T0},"user":{{}}}}',
        "schema": None,
        "status": "COMPLETED",
        "pendingRuns": 0,
        "totalRuns": 1,
        "functionRuns": [
            {
                "id": run.run_id,
                "functionID": str(function.id),
                "status": "COMPLETED",
                "function": {"name": "Cfg"},
                "event": {"id": event.internal_id},
                "eventID": event.internal_id,
                "cron": None,
                "batchID": None,
            }
        ],
    }


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], ("NO_FUNCTIONS", 0, 0)),
        ([RunStatus.SKIPPED], ("NO_FUNCTIONS", 0, 0)),
        ([RunStatus.SCHEDULED, RunStatus.COMPLETED], ("RUNNING", 1, 2)),
        ([RunStatus.RUNNING, RunStatus.FAILED], ("RUNNING", 1, 2)),
        ([RunStatus.COMPLETED, RunStatus.CANCELLED], ("COMPLETED", 0, 2)),
        ([RunStatus.FAILED, RunStatus.FAILED], ("FAILED", 0, 2)),
        ([RunStatus.FAILED, RunStatus.COMPLETED], ("PARTIALLY_FAILED", 0, 2)),
    ],
)
def test_the_status_of_an_event(statuses: list[RunStatus], expected: tuple[str, int, int]) -> None:
    function = make_function(make_app())
    event = make_event()
    for status in statuses:
        make_run(function, event, status=status)
    query = f'{{event(query: {{eventId: "{event.internal_id}"}}) {{status pendingRuns totalRuns}}}}'
    shown = ask(query).data["event"]
    assert isinstance(shown, dict)
    assert tuple(shown.values()) == expected


def test_events_of_the_last_hour() -> None:
    now = clock.now_ms()
    make_event("demo/old", at=now - 3_700_000)
    first = make_event("demo/first", {"a": 1}, at=now - 2000)
    last = make_event("inngest/function.finished", at=now - 1000)
    assert ask("{events(query: {}) {id name payload}}").data["events"] == [
        {"id": last.internal_id, "name": "inngest/function.finished", "payload": "{}"},
        {"id": first.internal_id, "name": "demo/first", "payload": '{"a":1}'},
    ]
    before = ask(f'{{events(query: {{lastEventId: "{last.internal_id}"}}) {{name}}}}')
    assert before.data["events"] == [{"name": "demo/first"}]


def test_other_environments_are_not_seen() -> None:
    other = Environment.objects.create(account_id=DEV_ACCOUNT_ID, name="other", slug="other")
    event = make_event(environment_id=other.id)
    assert listed(ask(LIST, filter={"from": FROM})) == []
    assert ask(f'{{eventV2(id: "{event.internal_id}") {{id}}}}').messages == [
        f"event not found: {event.internal_id}"
    ]


def test_queries_do_not_grow_with_the_list(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    function = make_function(make_app())
    for number in range(4):
        event = make_event(at=T0 + number)
        make_run(function, event, output=number)
        make_run(function, event, output=number)
    query = """{eventsV2(filter: {from: "2024-11-23T13:00:00Z"}) {totalCount edges {node {
        raw version runs {id output function {slug} app {name} triggerIDs hasAI trace {name}}
    }}}}"""
    # count, events, bodies, links, runs, outputs, functions, apps, trigger ids, AI, attempts
    with django_assert_num_queries(11):
        ask(query)
