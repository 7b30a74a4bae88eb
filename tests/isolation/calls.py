"""The case of each REST endpoint and each field of GraphQL: a good request about a place, and the permission
that it needs. Wherever a place's ids are in a request, another place's lead to the answer of unknown ids."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from apps.api.graphql.output_ids import encode_output_id
from apps.runs.trace import OutputRef
from apps.tenancy.permissions import Permission as P
from tests.isolation.cast import STEP, Place
from tests.unit.registry.bodies import function, register_body

PathOf = Callable[[Place], str]


@dataclass(frozen=True)
class Call:
    """`names_ids`: the request has ids of the place, in its path or body. `absent`: the status for ids that
    name nothing; 200 where an empty list, or silence, is the answer. `changes`: False for reading.
    `shows_key`: also to read is on record, with the permission to see keys."""

    permission: P
    path: PathOf
    body: Callable[[Place], bytes] | None = None
    names_ids: bool = True
    absent: int = 404
    changes: bool = False
    shows_key: bool = False


def _webhook_path(place: Place) -> str:
    return f"/v1/webhooks/{place.ids['webhook']}"


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


# By method and route.
REST: Final[Mapping[tuple[str, str], Call]] = {
    ("GET", "v1/events"): Call(P.DATA_READ, lambda _: "/v1/events", names_ids=False),
    ("GET", "v1/events/<str:event_id>"): Call(P.DATA_READ, lambda place: f"/v1/events/{place.event_id}"),
    ("GET", "v1/events/<str:event_id>/runs"): Call(
        P.DATA_READ, lambda place: f"/v1/events/{place.event_id}/runs", absent=200
    ),
    ("GET", "v1/runs/<str:run_id>"): Call(P.DATA_READ, lambda place: f"/v1/runs/{place.ended_run_id}"),
    ("DELETE", "v1/runs/<str:run_id>"): Call(
        P.RUN_CANCEL, lambda place: f"/v1/runs/{place.run_id}", changes=True
    ),
    ("GET", "v1/runs/<str:run_id>/jobs"): Call(
        P.VIEW, lambda place: f"/v1/runs/{place.run_id}/jobs", absent=200
    ),
    ("GET", "v1/apps/<str:app_id>/functions"): Call(
        P.VIEW, lambda place: f"/v1/apps/{place.app.name}/functions", absent=200
    ),
    ("GET", "v1/cancellations"): Call(P.VIEW, lambda _: "/v1/cancellations", names_ids=False),
    ("POST", "v1/cancellations"): Call(
        P.RUN_CANCEL_BULK,
        lambda _: "/v1/cancellations",
        lambda place: _json(
            {"app_id": place.app.name, "function_id": "work", "started_before": "2026-01-01T00:00:00Z"}
        ),
        changes=True,
    ),
    ("DELETE", "v1/cancellations/<str:cancellation_id>"): Call(
        P.RUN_CANCEL_BULK, lambda place: f"/v1/cancellations/{place.cancellation_id}", changes=True
    ),
    ("POST", "v1/signals"): Call(
        P.EVENT_SEND,
        lambda _: "/v1/signals",
        lambda place: _json({"signal": f"signal-{place.marker}", "data": {}}),
        changes=True,
    ),
    ("GET", "v1/webhooks"): Call(P.VIEW, lambda _: "/v1/webhooks", names_ids=False, shows_key=True),
    ("POST", "v1/webhooks"): Call(
        P.WEBHOOK_MANAGE,
        lambda _: "/v1/webhooks",
        lambda _: _json({"name": "Payments"}),
        names_ids=False,
        changes=True,
    ),
    ("GET", "v1/webhooks/<str:webhook_id>"): Call(P.VIEW, _webhook_path, shows_key=True),
    ("PUT", "v1/webhooks/<str:webhook_id>"): Call(
        P.WEBHOOK_MANAGE, _webhook_path, lambda _: _json({"name": "Payments"}), changes=True
    ),
    ("DELETE", "v1/webhooks/<str:webhook_id>"): Call(P.WEBHOOK_MANAGE, _webhook_path, changes=True),
    ("DELETE", "v0/runs/<str:run_id>"): Call(
        P.RUN_CANCEL, lambda place: f"/v0/runs/{place.run_id}", changes=True
    ),
}

# Syncs answer with the same keys.
SYNC: Final[Mapping[tuple[str, str], Call]] = {
    ("POST", "fn/register"): Call(
        P.APP_SYNC,
        lambda _: "/fn/register",
        lambda _: register_body(function()),
        names_ids=False,
        changes=True,
    ),
    ("DELETE", "fn/remove"): Call(
        P.APP_ARCHIVE, lambda place: f"/fn/remove?url={quote(place.app.url)}", changes=True
    ),
}


@dataclass(frozen=True)
class Field:
    """`document` asks for the field about a place; `names_ids` and `changes` as above."""

    permission: P
    document: Callable[[Place], str]
    names_ids: bool = True
    changes: bool = True
    error: str = ""  # what the right one is told, where the history writer would have to run


def _read(document: Callable[[Place], str], *, names_ids: bool = True) -> Field:
    return Field(P.DATA_READ, document, names_ids, changes=False)


_SINCE: Final = '"2020-01-01T00:00:00Z"'

GRAPHQL_QUERIES: Final[Mapping[str, Field]] = {
    "apps": _read(lambda _: "{apps {id name functions {slug}}}", names_ids=False),
    "app": _read(lambda place: f'{{app(id: "{place.app.id}") {{id name}}}}'),
    "functionBySlug": _read(
        lambda place: f'{{functionBySlug(query: {{functionSlug: "{place.function.slug}"}}) {{id name}}}}'
    ),
    "functions": _read(lambda _: "{functions {id slug}}", names_ids=False),
    "event": _read(lambda place: f'{{event(query: {{eventId: "{place.event_id}"}}) {{id name raw}}}}'),
    "events": _read(lambda _: "{events(query: {}) {id name raw}}", names_ids=False),
    "eventV2": _read(lambda place: f'{{eventV2(id: "{place.event_id}") {{id name raw runs {{id}}}}}}'),
    "eventsV2": _read(
        lambda _: f"{{eventsV2(filter: {{from: {_SINCE}}}) {{edges {{node {{id name raw}}}}}}}}",
        names_ids=False,
    ),
    "runs": _read(
        lambda _: (
            f"{{runs(orderBy: [], filter: {{from: {_SINCE}}}) {{edges {{node {{id output eventName}}}}}}}}"
        ),
        names_ids=False,
    ),
    "run": _read(lambda place: f'{{run(runID: "{place.ended_run_id}") {{id output function {{slug}}}}}}'),
    "runTraceSpanOutputByID": _read(
        lambda place: f'{{runTraceSpanOutputByID(outputID: "{_output_id(place)}") {{data input}}}}'
    ),
    "runTrigger": _read(lambda place: f'{{runTrigger(runID: "{place.ended_run_id}") {{IDs payloads}}}}'),
    "runTrace": _read(lambda place: f'{{runTrace(runID: "{place.ended_run_id}") {{name outputID}}}}'),
}

GRAPHQL_MUTATIONS: Final[Mapping[str, Field]] = {
    "createApp": Field(
        P.APP_SYNC,
        lambda _: 'mutation {createApp(input: {url: "http://127.0.0.1:9/new"}) {id}}',
        names_ids=False,
    ),
    "updateApp": Field(
        P.APP_SYNC,
        lambda place: (
            f'mutation {{updateApp(input: {{id: "{place.app.id}", url: "http://127.0.0.1:9/x"}}) {{id}}}}'
        ),
    ),
    "deleteApp": Field(P.APP_ARCHIVE, lambda place: f'mutation {{deleteApp(id: "{place.app.id}")}}'),
    "deleteAppByName": Field(
        P.APP_ARCHIVE, lambda place: f'mutation {{deleteAppByName(name: "{place.app.name}")}}'
    ),
    "invokeFunction": Field(
        P.FUNCTION_INVOKE,
        lambda place: f'mutation {{invokeFunction(functionSlug: "{place.function.slug}")}}',
    ),
    "cancelRun": Field(
        P.RUN_CANCEL,
        lambda place: f'mutation {{cancelRun(runID: "{place.run_id}") {{id}}}}',
        error="has not been stored yet",
    ),
    "rerun": Field(P.RUN_RERUN, lambda place: f'mutation {{rerun(runID: "{place.ended_run_id}")}}'),
}


def _output_id(place: Place) -> str:
    return encode_output_id(OutputRef(place.ended_run_id, STEP, 0))
