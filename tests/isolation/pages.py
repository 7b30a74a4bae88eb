"""The case of each page: what it takes to ask for it well, and what permission it needs.

A page of an environment is asked for below `/o/<organisation>/env/<environment>`, one of an organisation at
its own path. `ids` are the parameters of the path, of the given place; `post` is the form that the right
person sends; None: the page takes none.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from apps.tenancy.permissions import Permission as P
from tests.isolation.cast import Place

Ids = Callable[[Place], Mapping[str, object]]
Form = Callable[[Place], Mapping[str, object]]


def _none(place: Place) -> Mapping[str, object]:
    return {}


@dataclass(frozen=True)
class Page:
    """`takes_get`: False where only a form is taken. `changes`: False where the form may change nothing, as
    one that calls an app which is away."""

    permission: P
    ids: Ids = _none
    post: Form | None = None
    to_write: P | None = None
    takes_get: bool = True
    changes: bool = True
    query: str = ""

    @property
    def permissions(self) -> tuple[P, P | None]:
        return self.permission, self.to_write

    def needed(self, method: str) -> P:
        return self.to_write or self.permission if method == "POST" else self.permission


def _run(place: Place) -> Mapping[str, object]:
    return {"run_id": place.ended_run_id}


def _live_run(place: Place) -> Mapping[str, object]:
    return {"run_id": place.run_id}


def _event(place: Place) -> Mapping[str, object]:
    return {"internal_id": place.event_id}


def _function(place: Place) -> Mapping[str, object]:
    return {"slug": place.function.slug}


def _app(place: Place) -> Mapping[str, object]:
    return {"app_id": place.app.id}


ENVIRONMENT_PAGES: Final[Mapping[str, Page]] = {
    "dashboard:runs": Page(P.VIEW),
    "dashboard:run": Page(P.VIEW, _run),
    "dashboard:run-payload": Page(P.DATA_READ, _run),
    "dashboard:run-cancel": Page(P.RUN_CANCEL, _live_run, _none),
    "dashboard:run-rerun": Page(P.RUN_RERUN, _run, _none),
    "dashboard:events": Page(P.VIEW),
    "dashboard:event-send": Page(
        P.EVENT_SEND, post=lambda place: {"body": json.dumps({"name": place.event_name})}
    ),
    "dashboard:event": Page(P.VIEW, _event),
    "dashboard:event-payload": Page(P.DATA_READ, _event),
    "dashboard:functions": Page(P.VIEW),
    "dashboard:function": Page(P.VIEW, _function),
    "dashboard:function-pause": Page(P.FUNCTION_PAUSE, _function, _none),
    "dashboard:function-resume": Page(P.FUNCTION_PAUSE, _function, _none, takes_get=False),
    "dashboard:function-invoke": Page(P.FUNCTION_INVOKE, _function, lambda _: {"data": "{}"}),
    "dashboard:apps": Page(P.VIEW),
    "dashboard:app-add": Page(P.APP_SYNC, post=lambda place: {"url": "http://127.0.0.1:9/new"}),
    "dashboard:app-sync": Page(P.APP_SYNC, _app, _none, takes_get=False),
    "dashboard:app-remove": Page(P.APP_ARCHIVE, _app, _none),
}
# Pages of an environment that are for whoever is in it, and show what that person may see.
OPEN_TO_MEMBERS: Final = frozenset({"dashboard:home"})

# URLs without a name that are neither pages nor calls with a case of their own, and why.
NOT_CALLS: Final[Mapping[str, str]] = {
    "dev": "answers 404 in server mode (tests/integration/credentials/test_faces.py)",
    "^(?:v0|v1|e|invoke|fn)(?:/.*)?$": "404 of what no endpoint answers",
}
