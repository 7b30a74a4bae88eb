"""Lists of runs and single runs (spec 03, 6.5 and 6.6)."""

import base64
import json

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.api.graphql import run_lists
from apps.registry.models import Function
from apps.runs.choices import RunStatus
from apps.runs.models import Run
from apps.tenancy.models import DEV_ACCOUNT_ID, Environment
from tests.integration.api_graphql.data import (
    FROM,
    T0,
    Json,
    ask,
    make_app,
    make_attempt,
    make_event,
    make_function,
    make_run,
)

pytestmark = pytest.mark.django_db

LIST = """query(
    $first: Int! = 100, $after: String, $orderBy: [RunsV2OrderBy!]! = [], $filter: RunsFilterV2!
) {
    runs(first: $first, after: $after, orderBy: $orderBy, filter: $filter) {
        edges {cursor node {id}}
        pageInfo {hasNextPage hasPreviousPage startCursor endCursor}
        totalCount
    }
}"""


@pytest.fixture
def function() -> Function:
    return make_function(make_app())


class Page:
    """A page of `runs`; `ids` in order."""

    def __init__(self, filter_: Json | None = None, **variables: object) -> None:
        reply = ask(LIST, filter={"from": FROM, **(filter_ or {})}, **variables)
        connection = reply.data["runs"]
        assert isinstance(connection, dict)
        self.ids = [edge["node"]["id"] for edge in connection["edges"]]
        self.cursors = [edge["cursor"] for edge in connection["edges"]]
        self.info = connection["pageInfo"]
        self.total = connection["totalCount"]


def ids(*runs: Run) -> list[str]:
    return [run.run_id for run in runs]


def order(*terms: str) -> list[Json]:
    """Terms such as "-STARTED_AT"."""
    return [
        {"field": term.removeprefix("-"), "direction": "DESC" if term.startswith("-") else "ASC"}
        for term in terms
    ]


def test_pages_newest_first_by_default(function: Function) -> None:
    runs = [make_run(function, at=T0 + number) for number in range(3)]
    first = Page(first=2)
    assert first.ids == ids(runs[2], runs[1])
    assert first.total == 3
    assert first.info == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": first.cursors[0],
        "endCursor": first.cursors[1],
    }
    second = Page(first=2, after=first.cursors[1])
    assert second.ids == ids(runs[0])
    assert (second.total, second.info["hasNextPage"], second.info["hasPreviousPage"]) == (3, False, False)
    nothing = Page(first=2, after=second.cursors[0])
    assert (nothing.ids, nothing.info["startCursor"], nothing.info["endCursor"]) == ([], None, None)


def test_a_full_last_page_says_that_there_may_be_more(function: Function) -> None:
    make_run(function)
    assert Page(first=1).info["hasNextPage"] is True


def test_cursors_are_those_of_the_published_api(function: Function) -> None:
    run = make_run(function)
    cursor = Page(orderBy=order("-QUEUED_AT")).cursors[0]
    column = {"f": "queued_at", "v": T0}
    assert json.loads(base64.b64decode(cursor)) == {"id": run.run_id, "c": {"queued_at": column}}


@pytest.mark.parametrize("cursor", ["", "!", "e30=", "bnVsbA==", base64.b64encode(b"\xff").decode()])
def test_an_undecodable_cursor_is_ignored(function: Function, cursor: str) -> None:
    run = make_run(function)
    assert Page(after=cursor).ids == ids(run)


@pytest.mark.parametrize(("first", "size"), [(0, 40), (-5, 40), (1, 1), (400, 40), (399, 42)])
def test_page_sizes(function: Function, first: int, size: int) -> None:
    for number in range(42):
        make_run(function, at=T0 + number)
    assert len(Page(first=first).ids) == size


@pytest.mark.parametrize(
    "terms",
    [
        ("QUEUED_AT",),
        ("-QUEUED_AT",),
        ("STARTED_AT", "-QUEUED_AT"),
        ("-STARTED_AT", "ENDED_AT"),
        ("ENDED_AT", "STARTED_AT", "-QUEUED_AT"),
        ("-ENDED_AT", "-ENDED_AT", "ENDED_AT"),
    ],
)
def test_every_order_is_kept_over_pages(function: Function, terms: tuple[str, ...]) -> None:
    """Times that runs do not have count as 0, ties go by id."""
    runs = [
        make_run(function, at=T0 + offset, status=status, started_at=started, ended_at=ended)
        for offset, status, started, ended in [
            (0, RunStatus.COMPLETED, T0 + 9, T0 + 20),
            (0, RunStatus.COMPLETED, T0 + 9, T0 + 20),
            (1, RunStatus.RUNNING, T0 + 9, None),
            (1, RunStatus.SCHEDULED, None, None),
            (2, RunStatus.COMPLETED, T0 + 5, T0 + 30),
            (2, RunStatus.SCHEDULED, None, None),
            (3, RunStatus.CANCELLED, None, T0 + 20),
        ]
    ]

    def key(run: Run) -> tuple[object, ...]:
        values: list[object] = []
        for term in terms:
            value = getattr(run, term.removeprefix("-").lower()) or 0
            values.append(-value if term.startswith("-") else value)
        return (*values, run.run_id)

    found: list[str] = []
    after = None
    while (page := Page(first=2, after=after, orderBy=order(*terms))).ids:
        found += page.ids
        after = page.cursors[-1]
    assert found == ids(*sorted(runs, key=key))


def test_time_windows(function: Function) -> None:
    early = make_run(function, at=T0)
    late = make_run(function, at=T0 + 1000)
    waiting = make_run(function, at=T0 + 2000, status=RunStatus.SCHEDULED)
    assert Page().ids == ids(waiting, late, early)
    assert Page({"from": "2024-11-23T13:07:02Z", "until": "2024-11-23T13:07:02Z"}).ids == ids(late)
    assert Page({"timeField": "STARTED_AT"}).ids == ids(late, early)
    assert Page({"timeField": "ENDED_AT", "from": "2024-11-23T13:07:02.1Z"}).ids == ids(late)
    assert Page({"timeField": "ENDED_AT", "from": "2024-11-23T13:07:02.101Z"}).total == 0
    assert Page({"from": "2024-11-23T14:07:02+01:00", "until": "2024-11-23T13:07:02Z"}).total == 1


def test_statuses(function: Function) -> None:
    runs = {status: make_run(function, status=status, at=T0 + status) for status in RunStatus}
    shown = {name: Page({"status": [name]}).ids for name in ("QUEUED", "RUNNING", "COMPLETED", "CANCELLED")}
    assert shown == {
        "QUEUED": ids(runs[RunStatus.SCHEDULED]),
        "RUNNING": ids(runs[RunStatus.RUNNING]),
        "COMPLETED": ids(runs[RunStatus.COMPLETED]),
        "CANCELLED": ids(runs[RunStatus.CANCELLED]),
    }
    assert Page({"status": ["FAILED"]}).ids == ids(runs[RunStatus.FAILED], runs[RunStatus.OVERFLOWED])
    assert Page({"status": ["RUNNING", "QUEUED"]}).total == 2
    skipped = runs[RunStatus.SKIPPED].run_id
    assert skipped not in Page().ids
    assert Page({"status": ["SKIPPED"]}).ids == Page().ids


def test_functions_and_apps(function: Function) -> None:
    other = make_function(make_app("other"), "x")
    mine, theirs = make_run(function), make_run(other)
    assert Page({"functionIDs": [str(function.id)]}).ids == ids(mine)
    assert Page({"appIDs": [str(other.app_id)]}).ids == ids(theirs)
    assert Page({"appIDs": [str(other.app_id), str(function.app_id)]}).total == 2
    assert Page({"appIDs": [str(other.app_id)], "functionIDs": [str(function.id)]}).total == 0


def test_no_run_is_deferred(function: Function) -> None:
    make_run(function)
    assert (Page({"isDeferred": True}).total, Page({"isDeferred": True}).ids) == (0, [])
    assert Page({"isDeferred": False}).total == 1


@pytest.fixture
def queried(function: Function) -> dict[str, str]:
    """Runs to be found by expressions: names by run id."""
    ok = {"num": 12, "list": ["a"]}
    error = {"name": "Error", "message": "fail", "stack": "s"}
    wrapped = {"error": {"error": "E: big", "name": "E", "message": "big", "stack": ""}}
    runs = {
        "small": make_run(function, make_event("x", {"idx": 1, "b": True}), output={"num": 11}),
        "large": make_run(function, make_event("x", {"idx": 9, "b": False}), output=ok),
        "other": make_run(function, make_event("y", {"idx": 9, "n": None}), output="text"),
        "failed": make_run(function, make_event("z"), status=RunStatus.FAILED, output=error),
        "engine": make_run(function, make_event("z"), status=RunStatus.FAILED, output=wrapped),
        "batch": make_run(
            function, make_event("b", {"i": 1}), make_event("b", {"j": 2}), schedule_type="Batch"
        ),
        "live": make_run(function, make_event("l", {"output": 1}), status=RunStatus.RUNNING),
    }
    return {run.run_id: name for name, run in runs.items()}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("event.name == 'x'\nevent.data.idx > 5", {"large"}),
        ("event.name == 'x'\n\n  \n", {"small", "large"}),
        ("output.num > 11", {"large"}),
        ("output.num >= 11 && event.data.b == true", {"small"}),
        ("output == 'text'", {"other"}),
        ('error.message == "fail"', {"failed"}),
        ('error.name == "E"', {"engine"}),
        ("event.data.b == true", {"small"}),
        ("event.data.b == false", {"large"}),
        ("event.data.b != null", {"small", "large"}),
        ("event.name == 'y' && event.data.n == null", {"other"}),
        ("event.data.i == 1\nevent.data.j == 2", set()),
        ("event.data.i == 1 || event.data.j == 2", {"batch"}),
        ("event.data.output == 1", {"live"}),
        ("'output' == event.name", set()),
        ("event.name.startsWith('x')", {"small", "large"}),
    ],
)
def test_expressions(queried: dict[str, str], query: str, expected: set[str]) -> None:
    page = Page({"query": query})
    assert ({queried[run_id] for run_id in page.ids}, page.total) == (expected, len(expected))


def test_expressions_over_pages(queried: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_lists, "CHUNK", 2)
    found: list[str] = []
    after = None
    while (page := Page({"query": "event.data.idx > 0"}, first=1, after=after)).ids:
        assert page.total == 3
        found += page.ids
        after = page.cursors[-1]
    assert sorted(queried[run_id] for run_id in found) == ["large", "other", "small"]


@pytest.mark.parametrize("query", ["event.", "event.data.n ==", "'open", "nope == 1"])
def test_a_bad_expression_is_an_error(query: str) -> None:
    reply = ask(LIST, filter={"from": FROM, "query": query})
    assert (reply.status, reply.body["data"]) == (200, None)
    assert reply.messages[0].startswith("error retrieving runs: ")


def test_a_search_that_takes_too_long_says_so(
    queried: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_lists, "MAX_SCANNED_ROWS", 3)
    reply = ask(LIST, filter={"from": FROM, "query": "event.name == 'nothing'"})
    assert "narrow the time range" in reply.messages[0]


RUN = """query($id: String!) {run(runID: $id) {
    id appID functionID traceID queuedAt startedAt endedAt status sourceID triggerIDs eventName isBatch
    batchCreatedAt cronSchedule output hasAI isDeferred
    defers {fnSlug} siblingDefers {fnSlug} deferredFrom {runID} app {name} function {slug}
}}"""


def test_one_run(function: Function) -> None:
    event = make_event()
    run = make_run(function, event, output={"a": {"n": 1}, "b": "str-out"})
    data = ask(RUN, id=run.run_id.lower()).data["run"]
    assert isinstance(data, dict)
    trace_id = data.pop("traceID")
    assert (len(trace_id), int(trace_id, 16) > 0) == (32, True)
    assert data == {
        "id": run.run_id,
        "appID": str(function.app_id),
        "functionID": str(function.id),
        "queuedAt": "2024-11-23T13:07:01Z",
        "startedAt": "2024-11-23T13:07:01.01Z",
        "endedAt": "2024-11-23T13:07:01.1Z",
        "status": "COMPLETED",
        "sourceID": None,
        "triggerIDs": [event.internal_id],
        "eventName": None,
        "isBatch": False,
        "batchCreatedAt": None,
        "cronSchedule": None,
        "output": '{"a":{"n":1},"b":"str-out"}',
        "hasAI": False,
        "isDeferred": False,
        "defers": [],
        "siblingDefers": [],
        "deferredFrom": [],
        "app": {"name": "myapp"},
        "function": {"slug": "myapp-hello"},
    }


def test_lists_name_the_event_of_runs_that_have_one(function: Function) -> None:
    make_run(function, make_event("demo/one"), at=T0)
    make_run(function, make_event("demo/two"), make_event("demo/two"), schedule_type="Batch", at=T0 + 1)
    make_run(function, make_event("inngest/scheduled.timer"), cron="* * * * *", at=T0 + 2)
    query = """query($from: Time!) {runs(orderBy: [], filter: {from: $from}) {
        edges {node {eventName isBatch cronSchedule}}
    }}"""
    connection = ask(query, **{"from": FROM}).data["runs"]
    assert isinstance(connection, dict)
    assert [edge["node"] for edge in connection["edges"]] == [
        {"eventName": None, "isBatch": False, "cronSchedule": "* * * * *"},
        {"eventName": None, "isBatch": True, "cronSchedule": None},
        {"eventName": "demo/one", "isBatch": False, "cronSchedule": None},
    ]


@pytest.mark.parametrize(
    ("op", "info", "expected"),
    [
        ("AIGateway", None, True),
        ("StepRun", {"type": "ai.wrap"}, True),
        ("StepRun", {"type": "fetch"}, False),
        ("WaitForEvent", {"expression": '"ai.wrap" == async.data.x'}, False),
    ],
)
def test_runs_that_talk_to_a_model(function: Function, op: str, info: Json | None, expected: bool) -> None:
    run = make_run(function)
    make_attempt(run, "step", op=op, info=info)
    assert ask(f'{{run(runID: "{run.run_id}") {{hasAI}}}}').data == {"run": {"hasAI": expected}}


def test_unknown_and_malformed_ids() -> None:
    ulid = "01HGZ000000000000000000000"
    reply = ask(RUN, id=ulid)
    assert (reply.status, reply.body["data"]) == (200, {"run": None})
    assert reply.messages == ["error retrieving run: sql: no rows in result set"]
    assert ask(f'{{runTrace(runID: "{ulid}") {{name}}}}').messages == [
        f"error retrieving trace: no root span found for run {ulid}"
    ]
    assert ask(f'{{runTrigger(runID: "{ulid}") {{IDs}}}}').messages == [
        "error retrieving run: sql: no rows in result set"
    ]
    assert ask(RUN, id="nope").messages == ["error parsing runID: 'nope' is not a ULID"]


def test_other_environments_are_not_seen() -> None:
    other = Environment.objects.create(account_id=DEV_ACCOUNT_ID, name="other", slug="other")
    run = make_run(make_function(make_app("theirs", environment_id=other.id)), output=1)
    assert Page().ids == []
    assert ask(RUN, id=run.run_id).body["data"] == {"run": None}
    assert "errors" in ask(f'{{runTrace(runID: "{run.run_id}") {{name}}}}').body
    assert "errors" in ask(f'{{runTrigger(runID: "{run.run_id}") {{cron}}}}').body


def test_queries_do_not_grow_with_the_list(
    function: Function, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(5):
        make_attempt(make_run(function, make_event(), output=number, at=T0 + number), "a")
    plain = '{runs(orderBy: [], filter: {from: "2024-11-23T13:00:00Z"}) {edges {node {id status}}}}'
    with django_assert_num_queries(1):
        ask(plain)
    full = """{runs(orderBy: [], filter: {from: "2024-11-23T13:00:00Z"}) {
        totalCount edges {node {output triggerIDs function {slug} app {name} hasAI trace(preview: true) {
            run {event {name raw} output} childrenSpans {name outputID run {function {name}}}
        }}}
    }}"""
    # runs, count, outputs, trigger ids, functions, apps, AI, attempts, events, bodies
    with django_assert_num_queries(10):
        ask(full)
