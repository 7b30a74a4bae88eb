"""Whatever a person or a key changes is on record in the organisation that it belongs to (spec 05, 2.8).

Walked from the same cases as the trials of who may do it: a new page, endpoint or mutation that changes
something without an entry fails here.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
import redis

from apps.audit.models import ActorKind, AuditEntry
from apps.audit.services import audit_verify
from apps.tenancy.permissions import Permission
from tests.isolation import test_environment_pages, test_organisation_pages
from tests.isolation.calls import GRAPHQL_MUTATIONS, REST, SYNC
from tests.isolation.cast import Place, Stage
from tests.isolation.endpoints import groups
from tests.isolation.pages import ENVIRONMENT_PAGES, ORGANISATION_PAGES
from tests.isolation.snapshot import undone
from tests.isolation.test_calls import caller_of, querier_of
from tests.isolation.test_thin_paths import THIN
from tests.isolation.visitors import Visitor

# What changes something and is not on record, each with its reason.
UNRECORDED: Final[Mapping[str, str]] = {
    "POST v1/signals": "resumes a run as an event does, and is kept with the run that waited for it",
    "/e/ key": "events are kept as events, with the key that they came with",
    "/invoke/ slug": "an invocation is kept as an event, with the runs that it starts",
    "/v1/checkpoint/ async": "an app tells of its own steps, which are kept with their run",
    "/v1/http/runs/ async": "an app tells of its own steps, which are kept with their run",
}

Act = Callable[[Stage], Any]


def _page(url: Callable[[str, Place, str], str], name: str, form: object, place: str, method: str) -> Act:
    def act(stage: Stage) -> Any:
        path = url(name, getattr(stage, place), "acme")
        return Visitor(stage.people.alice).ask(method, path, form)

    return act


def _pages() -> dict[str, Act]:
    in_environment, in_organisation = test_environment_pages.url, test_organisation_pages.url
    acts = {
        name: _page(in_environment, name, page.post, "production", "POST")
        for name, page in ENVIRONMENT_PAGES.items()
        if page.post is not None and page.changes
    }
    acts |= {
        name: _page(in_organisation, name, page.post, "staging", "POST")
        for name, page in ORGANISATION_PAGES.items()
        if page.post is not None and page.changes
    }
    return acts | {
        name: _page(in_environment, name, None, "production", "GET")
        for name, page in ENVIRONMENT_PAGES.items()
        if page.is_reading_recorded
    }


def _calls() -> dict[str, Act]:
    """With an API key, so that the entry names it."""

    def call(ask: Callable[..., Any], case: Any) -> Act:
        also = Permission.EVENT_KEY_REVEAL if getattr(case, "shows_key", False) else Permission.DATA_READ
        return lambda stage: ask(stage.production, stage.production.api_key(case.permission, also))

    every = {
        f"{method} {route}": call(caller_of(method, case), case)
        for (method, route), case in {**REST, **SYNC}.items()
        if case.changes or case.shows_key
    }
    fields = {name: call(querier_of(case), case) for name, case in GRAPHQL_MUTATIONS.items() if case.changes}
    return every | fields


PAGES: Final = _pages()
CALLS: Final = _calls()


def test_each_exception_is_of_something_that_changes() -> None:
    changing = {*PAGES, *CALLS, *(name for name, case in THIN.items() if case.changes)}
    assert UNRECORDED.keys() <= changing
    assert {name for name, case in THIN.items() if case.changes} <= UNRECORDED.keys()


@pytest.mark.parametrize("names", groups(PAGES), ids=lambda names: f"{names[0]} and on")
def test_what_people_change_is_on_record(stage: Stage, queue: "redis.Redis", names: list[str]) -> None:
    missing = []
    for name in names:
        with undone(queue):
            entries = _entries_of(PAGES[name], stage)
            if not any(_is_by_alice(entry, stage) for entry in entries):
                missing.append(name)
    assert not missing, f"not in the audit log: {missing}; record it, or give the reason in UNRECORDED"


@pytest.mark.parametrize("names", groups(CALLS), ids=lambda names: f"{names[0]} and on")
def test_what_keys_change_is_on_record(stage: Stage, queue: "redis.Redis", names: list[str]) -> None:
    missing = []
    for name in names:
        with undone(queue):
            entries = _entries_of(CALLS[name], stage)
            recorded = [entry for entry in entries if entry.actor_kind == ActorKind.API_KEY]
            assert {entry.environment_id for entry in recorded} <= {stage.production.environment.id}, name
            if bool(recorded) == (name in UNRECORDED):
                missing.append(name)
    assert not missing, f"not in the audit log: {missing}; record it, or give the reason in UNRECORDED"


def _entries_of(act: Act, stage: Stage) -> list[AuditEntry]:
    """What the log of Acme has more after the act than before; its chain holds, and Globex's is as it was."""
    before, others = _count(stage.acme.id), _count(stage.globex.account.id)
    answer = act(stage)
    assert answer.status_code < 400, (answer.status_code, answer.content[:500])
    if answer.streaming:
        list(answer.streaming_content)
    assert _count(stage.globex.account.id) == others
    assert audit_verify(stage.acme.id).is_intact
    return list(AuditEntry.objects.filter(account_id=stage.acme.id, number__gt=before).order_by("number"))


def _count(account_id: Any) -> int:
    return AuditEntry.objects.filter(account_id=account_id).count()


def _is_by_alice(entry: AuditEntry, stage: Stage) -> bool:
    return entry.actor_id == str(stage.people.alice.pk) and entry.actor_label == stage.people.alice.email
