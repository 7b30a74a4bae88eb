"""Each REST endpoint, sync and GraphQL field: without a key, with a stranger's, with one of the neighbouring
environment, with one that lacks the permission, with the right one (spec 05, 1.12 and 1.14)."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import redis
from django.test import Client

from apps.api.graphql.access import MUTATIONS
from apps.api.graphql.schema import schema
from apps.api.rest.base import RestView
from apps.audit.models import AuditEntry
from apps.engine.event_stream import parse_entry
from apps.engine.keys import Keys
from apps.tenancy.permissions import Permission
from tests.isolation.calls import GRAPHQL_MUTATIONS, GRAPHQL_QUERIES, REST, SYNC, Call, Field
from tests.isolation.cast import Place, Stage
from tests.isolation.endpoints import endpoints, groups, missing
from tests.isolation.ghosts import ghost_of, without_ids
from tests.isolation.pages import NOT_CALLS
from tests.isolation.snapshot import Snapshot, undone
from tests.isolation.trial import LOG
from tests.isolation.visitors import bearer

CALLS = {**REST, **SYNC}
FIELDS = {**GRAPHQL_QUERIES, **GRAPHQL_MUTATIONS}
EVENTS = Keys("0").events

Ask = Callable[..., Any]


def caller_of(method: str, call: Call) -> Ask:
    """Asks about a place with a secret."""

    def ask(about: Place, secret: str, **headers: str) -> Any:
        body = call.body(about) if call.body else b""
        return Client().generic(
            method, call.path(about), body, "application/json", headers=bearer(secret) | headers
        )

    return ask


def querier_of(field: Field) -> Ask:
    def ask(about: Place, secret: str) -> Any:
        body = json.dumps({"query": field.document(about)})
        return Client().post("/v0/gql", body, "application/json", headers=bearer(secret))

    return ask


def views() -> Mapping[tuple[str, str], Permission]:
    """Method and route of every endpoint that answers REST calls, with the permission that it asks for."""
    found: dict[tuple[str, str], Permission] = {}
    for endpoint in endpoints():
        view = getattr(endpoint.callback, "cls", None)
        if isinstance(view, type) and issubclass(view, RestView):
            found |= {(method, endpoint.route): needed for method, needed in view.permissions.items()}
            handlers = {name.upper() for name in view.http_method_names if hasattr(view, name)} - {"OPTIONS"}
            assert handlers == set(view.permissions), f"{endpoint.route}: each method names its permission"
    return found


def test_every_rest_endpoint_has_a_case() -> None:
    found = {f"{method} /{route}" for method, route in views()}
    declared = {f"{method} /{route}" for method, route in REST}
    advice = "Add it to REST in tests/isolation/calls.py: path, body, permission, whether it names ids."
    assert not (text := missing(found, declared, advice)), text


def operators_only() -> set[str]:
    """Django's admin, which test_places.py looks through."""
    return {endpoint.route for endpoint in endpoints() if endpoint.route.startswith("admin/")}


def test_every_other_url_has_a_case() -> None:
    """Pages are looked through by test_environment_pages.py and test_places.py."""
    routes = {endpoint.route for endpoint in endpoints() if not endpoint.name} - operators_only()
    called = {route for _, route in CALLS}
    advice = "Add it to SYNC in tests/isolation/calls.py, or to NOT_CALLS in pages.py with the reason."
    assert not (text := missing(routes, called | set(NOT_CALLS), advice)), text


def test_every_graphql_field_has_a_case() -> None:
    advice = "Add it to GRAPHQL_QUERIES or GRAPHQL_MUTATIONS in tests/isolation/calls.py: a document."
    types = schema.graphql_schema
    assert types.query_type is not None
    assert types.mutation_type is not None
    assert not (text := missing(set(types.query_type.fields), set(GRAPHQL_QUERIES), advice)), text
    assert not (text := missing(set(types.mutation_type.fields), set(GRAPHQL_MUTATIONS), advice)), text
    assert types.subscription_type is None


def test_the_views_ask_for_what_their_cases_say() -> None:
    assert views() == {key: call.permission for key, call in REST.items()}
    assert {name: field.permission for name, field in GRAPHQL_MUTATIONS.items()} == MUTATIONS


@pytest.mark.parametrize("cases", groups(CALLS), ids=lambda cases: f"{cases[0][1]} and on")
def test_who_may_call(stage: Stage, queue: "redis.Redis", cases: list[tuple[str, str]]) -> None:
    for method, route in cases:
        with undone(queue):
            _try_call(stage, queue, method, CALLS[method, route])


def _try_call(stage: Stage, queue: "redis.Redis", method: str, call: Call) -> None:
    ask, before = caller_of(method, call), Snapshot(queue)
    place, changed = stage.production, before.changes
    for secret in ("", "signkey-prod-" + "0" * 64, place.event_key):
        assert ask(place, secret).status_code == 401, secret
    _assert_others_find_nothing(ask, call, stage, queue, absent=call.absent)
    assert changed() == set()
    denied = ask(place, place.api_key(*_all_but(call.permission)))
    assert (denied.status_code, denied.json()["code"]) == (403, "forbidden")
    assert denied.json()["error"].endswith(call.permission)
    before = Snapshot(queue)
    answer = ask(place, place.signing_key)
    assert answer.status_code in (200, 204), answer.content
    assert not _markers(stage, answer)
    if call.shows_key:
        assert before.changes() == set(LOG)
    else:
        assert (before.changes() != set()) == call.changes


@pytest.mark.parametrize("names", groups(FIELDS), ids=lambda names: f"{names[0]} and on")
def test_who_may_ask_graphql(stage: Stage, queue: "redis.Redis", names: list[str]) -> None:
    for name in names:
        with undone(queue):
            _try_field(stage, queue, FIELDS[name])


def _try_field(stage: Stage, queue: "redis.Redis", field: Field) -> None:
    ask, before, place = querier_of(field), Snapshot(queue), stage.production
    for secret in ("", "signkey-prod-" + "0" * 64, place.event_key):
        assert ask(place, secret).status_code == 401
    _assert_others_find_nothing(ask, field, stage, queue, absent=200)
    _assert_only_own_events(before, queue, stage)
    denied = ask(place, place.api_key(*_all_but(field.permission)))
    assert denied.status_code == 403
    assert denied.json()["errors"][0]["extensions"] == {"code": "forbidden"}
    before = Snapshot(queue)
    answer = ask(place, place.signing_key)
    assert (answer.status_code, "errors" in answer.json()) == (200, bool(field.error)), answer.content
    assert field.error in answer.content.decode()
    assert not _markers(stage, answer)
    assert (before.changes() != set()) == field.changes


def _all_but(permission: Permission) -> list[Permission]:
    """Of the permissions that an API key may have."""
    cases: list[Call | Field] = [*CALLS.values(), *FIELDS.values()]
    grantable = {case.permission for case in cases}
    needed_to_read = {Permission.DATA_READ} if permission != Permission.DATA_READ else set()
    return sorted((grantable | needed_to_read) - {permission})


def _assert_others_find_nothing(
    ask: Ask, case: Call | Field, stage: Stage, queue: "redis.Redis", *, absent: int
) -> None:
    """The keys of the other places, about this one and about ids that nobody has."""
    if not case.names_ids:
        return
    place, ghost = stage.production, ghost_of(stage.production)
    for other in stage.others:
        answer, unknown = ask(place, other.signing_key), ask(ghost, other.signing_key)
        assert (answer.status_code, unknown.status_code) == (absent, absent), (other.marker, answer.content)
        assert without_ids(answer.content, place) == without_ids(unknown.content, ghost), other.marker


def _assert_only_own_events(before: Snapshot, queue: "redis.Redis", stage: Stage) -> None:
    """An invocation of an unknown function is an event of the caller's own place, and on record there."""
    assert before.changes() <= {EVENTS, *LOG}
    noted = AuditEntry.objects.filter(action="function.invoke").values_list("environment_id", flat=True)
    assert set(noted) <= {other.environment.id for other in stage.others}
    entries: list[tuple[bytes, dict[bytes, bytes]]] = queue.xrange(EVENTS)  # type: ignore[assignment]
    owners = {parse_entry(fields).env_id for _, fields in entries}
    assert owners <= {other.env_id for other in stage.others}


def _markers(stage: Stage, answer: Any) -> list[str]:
    return [other.marker for other in stage.others if other.marker.encode() in answer.content]


def test_lists_of_the_others_show_nothing(stage: Stage) -> None:
    """What names no ids: each key sees its own."""
    asks = [caller_of(method, call) for (method, _), call in CALLS.items() if not call.changes]
    asks += [querier_of(field) for field in GRAPHQL_QUERIES.values() if not field.names_ids]
    seen = 0
    for ask in asks:
        for own in (stage.production, *stage.others):
            answer = ask(own, own.signing_key)
            foreign = {place.marker for place in (stage.production, *stage.others)} - {own.marker}
            assert not [marker for marker in foreign if marker.encode() in answer.content]
            seen += own.marker.encode() in answer.content
    assert seen > 20, "the lists show nothing at all"


def test_a_header_widens_nothing(stage: Stage, queue: "redis.Redis") -> None:
    """X-Inngest-Env may choose among a credential's environments, and adds none."""
    before, first = Snapshot(queue), AuditEntry.objects.count()
    for (method, route), call in REST.items():
        for other in stage.others:
            for name in (other.environment.slug, str(other.environment.id)):
                headers = {"X-Inngest-Env": name}
                answer = caller_of(method, call)(other, stage.production.signing_key, **headers)
                assert other.marker.encode() not in answer.content.replace(_asked(other), b""), route
    made = {"credentials_eventkey", "webhooks_webhook", *LOG}
    assert before.changes() == made
    entries = AuditEntry.objects.order_by("at")[first:]
    assert {entry.action for entry in entries} == {"webhook.create", "webhook.reveal"}
    assert {entry.environment_id for entry in entries} == {stage.production.environment.id}


def _asked(place: Place) -> bytes:
    """An answer may repeat the id that it was asked for."""
    return place.cancellation_id.encode()
