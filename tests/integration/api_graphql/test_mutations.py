"""Write operations (spec 03, 6.15)."""

import json
import uuid
from dataclasses import dataclass, field
from typing import cast

import pytest
import redis
from pytest_django.fixtures import Settings

from apps.api.graphql import cancelling, repeating
from apps.engine.event_stream import EventContext, EventEntry, parse_entry
from apps.engine.keys import Keys
from apps.registry.app_urls import AppUrlError
from apps.registry.models import App
from apps.registry.services import apps as app_services
from apps.runs import exceptions
from apps.runs.choices import RunStatus
from apps.runs.models import Run
from apps.runs.services import CancelResult
from apps.tenancy.models import DEV_ACCOUNT_ID, DEV_ENVIRONMENT_ID
from tests.integration.api_graphql.data import ask, make_app, make_function, make_run

pytestmark = pytest.mark.django_db

UNKNOWN = "01HGZ000000000000000000000"


@pytest.fixture
def stream(settings: Settings, redis_url: str, redis_client: "redis.Redis") -> "Stream":
    settings.REDIS_URL = redis_url
    return Stream(redis_client, Keys(settings.STEPWELL_SHARD).events)


@dataclass
class Stream:
    """The event stream that the engine reads."""

    client: "redis.Redis"
    key: str

    def entries(self) -> list[EventEntry]:
        rows = cast("list[tuple[bytes, dict[bytes, bytes]]]", self.client.xrange(self.key))
        return [parse_entry(fields) for _, fields in rows]


INVOKE = """mutation($slug: String!, $data: Map, $user: Map, $meta: Map) {
    invokeFunction(functionSlug: $slug, data: $data, user: $user, meta: $meta)
}"""


def test_invoking_appends_an_event_for_one_function(stream: Stream) -> None:
    variables = {
        "data": {"n": 12345678901234567890, "_inngest": {"fn_id": "other"}},
        "user": {"id": 1},
        "meta": {"sessions": {"chat": "c1"}},
    }
    assert ask(INVOKE, slug="myapp-hello", **variables).data == {"invokeFunction": True}
    [entry] = stream.entries()
    assert (entry.env_id, entry.account_id) == (str(DEV_ENVIRONMENT_ID), str(DEV_ACCOUNT_ID))
    assert entry.name == "inngest/function.invoked"
    assert entry.context == EventContext(function_id="myapp-hello", source="invoke")
    body = json.loads(entry.body)
    assert body == {
        "data": {"_inngest": {"fn_id": "myapp-hello"}, "n": 12345678901234567890},
        "id": entry.internal_id,
        "meta": {"sessions": {"chat": "c1"}},
        "name": "inngest/function.invoked",
        "ts": body["ts"],
        "user": {"id": 1},
    }


def test_invoking_without_data(stream: Stream) -> None:
    assert ask('mutation {invokeFunction(functionSlug: "x-y")}').data == {"invokeFunction": True}
    [entry] = stream.entries()
    assert json.loads(entry.body)["data"] == {"_inngest": {"fn_id": "x-y"}}


def test_data_as_a_literal(stream: Stream) -> None:
    query = 'mutation($n: Int) {invokeFunction(functionSlug: "x-y", data: {a: [1, {b: $n}], c: null})}'
    assert ask(query, n=5).data == {"invokeFunction": True}
    data = json.loads(stream.entries()[0].body)["data"]
    assert data == {"_inngest": {"fn_id": "x-y"}, "a": [1, {"b": 5}], "c": None}


def test_invocations_that_are_refused(stream: Stream) -> None:
    reply = ask(INVOKE, slug="x-y", meta={"sessions": {}, "trace": 1})
    assert (reply.status, reply.body["data"]) == (200, {"invokeFunction": None})
    assert reply.messages == ['event meta "trace" is not supported']
    too_many = {"sessions": {str(number): "s" for number in range(6)}}
    assert ask(INVOKE, slug="x-y", meta=too_many).messages == ["Cannot have more than 5 sessions in an event"]
    assert ask(INVOKE, slug="x-y", data=[1]).status == 422
    assert stream.entries() == []


@dataclass
class Calls:
    """Stands in for a service: notes its arguments, then answers or raises."""

    answer: object = None
    made: list[tuple[object, ...]] = field(default_factory=list)

    def __call__(self, *arguments: object) -> object:
        self.made.append(arguments)
        answer = self.answer() if callable(self.answer) else self.answer
        if isinstance(answer, Exception):
            raise answer
        return answer


CANCEL = "mutation($id: ULID!) {cancelRun(runID: $id) {id status output finishedAt}}"


def test_cancelling_answers_with_the_cancelled_run(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(make_function(make_app()), status=RunStatus.RUNNING)

    def end() -> CancelResult:
        Run.objects.filter(run_id=run.run_id).update(status=RunStatus.CANCELLED, ended_at=run.queued_at + 5)
        return CancelResult.CANCELLED

    calls = Calls(end)
    monkeypatch.setattr(cancelling, "run_cancel", calls)
    expected = {
        "cancelRun": {
            "id": run.run_id,
            "status": "CANCELLED",
            "output": "{}",
            "finishedAt": "2024-11-23T13:07:01.005Z",
        }
    }
    assert ask(CANCEL, id=run.run_id.lower()).data == expected
    calls.answer = CancelResult.ALREADY_CANCELLED
    assert ask(CANCEL, id=run.run_id).data == expected
    assert calls.made == [(DEV_ENVIRONMENT_ID, run.run_id, "user")] * 2


def test_an_ended_run_is_not_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(make_function(make_app()))
    monkeypatch.setattr(cancelling, "run_cancel", Calls(CancelResult.ALREADY_ENDED))
    reply = ask(CANCEL, id=run.run_id)
    assert (reply.status, reply.body["data"]) == (200, None)
    assert reply.messages == ["cannot cancel an ended run"]
    run.refresh_from_db()
    assert run.status == RunStatus.COMPLETED


def test_cancelling_what_is_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancelling, "run_cancel", Calls(exceptions.RunNotFound()))
    assert ask(CANCEL, id=UNKNOWN).messages == ["error retrieving run: sql: no rows in result set"]
    run = make_run(make_function(make_app()), status=RunStatus.RUNNING)
    monkeypatch.setattr(cancelling, "run_cancel", Calls(CancelResult.CANCELLED))
    monkeypatch.setattr(cancelling, "PATIENCE_SECONDS", 0)
    assert ask(CANCEL, id=run.run_id).messages == [f"the end of run {run.run_id} has not been stored yet"]


RERUN = "mutation($id: ULID!, $from: RerunFromStepInput) {rerun(runID: $id, fromStep: $from)}"


def test_rerunning(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(UNKNOWN)
    monkeypatch.setattr(repeating, "run_rerun", calls)
    old = "01HGZ000000000000000000001"
    assert ask(RERUN, id=old).data == {"rerun": UNKNOWN}
    assert ask(RERUN, id=old, **{"from": {"stepID": "b", "input": '[{"ed": 1}]'}}).data == {"rerun": UNKNOWN}
    assert calls.made == [
        (DEV_ENVIRONMENT_ID, old, None, None),
        (DEV_ENVIRONMENT_ID, old, "b", '[{"ed": 1}]'),
    ]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (exceptions.RunNotFound(), "sql: no rows in result set"),
        (exceptions.InputInvalid(), "input is not a valid JSON array"),
        (exceptions.StepNotFound(), "error reconstructing input state: rerun step not found"),
        (exceptions.FunctionGone(), "function not found"),
    ],
)
def test_what_cannot_be_rerun(
    monkeypatch: pytest.MonkeyPatch, error: exceptions.RunError, message: str
) -> None:
    monkeypatch.setattr(repeating, "run_rerun", Calls(error))
    reply = ask(RERUN, id=UNKNOWN)
    assert (reply.status, reply.body["data"], reply.messages) == (200, None, [message])


def test_adding_and_moving_apps(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app("", error="unreachable")
    create, update = Calls(app), Calls(app)
    monkeypatch.setattr(app_services, "app_create", create)
    monkeypatch.setattr(app_services, "app_update", update)
    expected = {"id": str(app.id), "error": "unreachable", "connected": False}
    fields = "{id error connected}"
    created = ask(f'mutation {{createApp(input: {{url: "localhost:1/api"}}) {fields}}}')
    assert created.data == {"createApp": expected}
    moved = ask(f'mutation {{updateApp(input: {{id: "{app.id}", url: "localhost:2"}}) {fields}}}')
    assert moved.data == {"updateApp": expected}
    assert create.made == [(DEV_ENVIRONMENT_ID, "localhost:1/api")]
    assert update.made == [(DEV_ENVIRONMENT_ID, app.id, "localhost:2")]


def test_apps_that_cannot_be_added_or_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_services, "app_create", Calls(AppUrlError("invalid URL: it names no host")))
    monkeypatch.setattr(app_services, "app_update", Calls(None))
    assert ask('mutation {createApp(input: {url: ":"}) {id}}').messages == ["invalid URL: it names no host"]
    unknown = f'mutation {{updateApp(input: {{id: "{uuid.uuid4()}", url: "x"}}) {{id}}}}'
    assert ask(unknown).messages == ["sql: no rows in result set"]
    bad = 'mutation {updateApp(input: {id: "abc", url: "x"}) {id}}'
    assert ask(bad).messages == ["invalid UUID length: 3"]


def test_deleting_apps(stream: Stream) -> None:
    first, second, unknown = make_app("first"), make_app("second"), str(uuid.uuid4())
    query = "mutation($id: String!) {deleteApp(id: $id)}"
    assert ask(query, id=str(first.id)).data == {"deleteApp": str(first.id)}
    assert ask(query, id=unknown).data == {"deleteApp": unknown}
    assert ask('mutation {deleteAppByName(name: "second")}').data == {"deleteAppByName": True}
    assert ask('mutation {deleteAppByName(name: "none")}').data == {"deleteAppByName": True}
    left = App.objects.filter(id__in=[first.id, second.id], archived_at=None)
    assert not left.exists()
