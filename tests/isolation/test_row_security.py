"""The second barrier, on PostgreSQL: with every filter by tenant forgotten, no face shows anything of others.

`forgetful` takes the filters out of all queries that come after a request has entered its scope. That this
would show something is tried without the barrier.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial, partialmethod
from typing import Any, Final, NamedTuple
from urllib.parse import quote
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, connections
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.audit.models import AuditHead
from apps.credentials.models import AppKeyUse
from apps.identity.models import User
from apps.realtime.topics import run_topic
from apps.server.row_policies import POLICIES
from apps.tenancy import row_security
from apps.tenancy.models import Account, Invitation, Membership, Role
from apps.tenancy.permissions import Permission
from apps.tenancy.row_security import Scope, tenant_scope
from tests.integration.dashboard.tab import Tab
from tests.integration.databases import on_postgres
from tests.isolation import test_environment_pages, test_organisation_pages
from tests.isolation.calls import GRAPHQL_QUERIES, REST
from tests.isolation.cast import Place, Stage, make_stage
from tests.isolation.ghosts import ghost_of
from tests.isolation.pages import ENVIRONMENT_PAGES, ORGANISATION_PAGES
from tests.isolation.visitors import Visitor, bearer

TENANT: Final = frozenset({"environment_id", "account_id"})
Ask = Callable[[Place], Any]


class Forgetting:
    """Filters are forgotten from the scope's beginning on; without `is_barred` none begins."""

    def __init__(self) -> None:
        self.is_barred, self.is_on = True, False
        self._enter = row_security._enter
        self._filter = QuerySet.filter

    def enter(self, scope: Scope) -> bool:
        self.is_on = True
        return self._enter(scope) if self.is_barred else False

    def leave(self) -> None:
        self.is_on = False

    def filter(self, rows: QuerySet[Any], *args: Any, **kwargs: Any) -> QuerySet[Any]:
        is_forgotten = self.is_on and rows.model is not AuditHead  # heads are locked one by one
        forgotten = TENANT if is_forgotten else frozenset()
        kept = {name: value for name, value in kwargs.items() if name.split("__")[0] not in forgotten}
        return self._filter(rows, *args, **kept)


@pytest.fixture
def pg_stage(default_database: str, server: None) -> Stage:
    assert default_database == "postgres"
    return make_stage()


@pytest.fixture
def forgetful(pg_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Forgetting]:
    forgetting = Forgetting()
    monkeypatch.setattr(row_security, "_enter", forgetting.enter)
    monkeypatch.setattr(QuerySet, "filter", partialmethod(_forgetting, forgetting))
    yield forgetting
    row_security.leave()


def _forgetting(rows: QuerySet[Any], forgetting: Forgetting, *args: Any, **kwargs: Any) -> QuerySet[Any]:
    return forgetting.filter(rows, *args, **kwargs)


def seen(forgetting: Forgetting, ask: Ask, place: Place) -> tuple[int, bytes]:
    """The status and content of the answer about a place's things."""
    try:
        answer = ask(place)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return int(answer.status_code), body
    finally:
        forgetting.leave()
        row_security.leave()


def pages_of_the_environment(stage: Stage) -> Mapping[str, Ask]:
    alice = Visitor(stage.people.alice)
    url = test_environment_pages.url
    return {
        name: partial(_get, alice, partial(url, name))
        for name, page in ENVIRONMENT_PAGES.items()
        if page.takes_get
    }


def pages_of_the_organisation(stage: Stage) -> Mapping[str, Ask]:
    alice = Visitor(stage.people.alice)
    url = test_organisation_pages.url
    return {
        name: partial(_get, alice, partial(url, name))
        for name, page in ORGANISATION_PAGES.items()
        if page.takes_get
    }


def _get(visitor: Visitor, url: Callable[[Place, str], str], about: Place) -> Any:
    return visitor.ask("GET", url(about, "acme"))


def rest(stage: Stage) -> Mapping[str, Ask]:
    call = partial(_call, bearer(stage.production.signing_key))
    return {route: partial(call, case.path) for (method, route), case in REST.items() if method == "GET"}


def graphql(stage: Stage) -> Mapping[str, Ask]:
    call = partial(_call, bearer(stage.production.signing_key))
    return {name: partial(call, partial(_query, field.document)) for name, field in GRAPHQL_QUERIES.items()}


def _call(headers: Mapping[str, str], path: Callable[[Place], str], about: Place) -> Any:
    return Client().get(path(about), headers=headers)


def _query(document: Callable[[Place], str], about: Place) -> str:
    return f"/v0/gql?query={quote(document(about))}"


class Face(NamedTuple):
    """`list` and `thing` show others' things once the barrier is away: of itself, and where it is asked for
    one."""

    asks: Callable[[Stage], Mapping[str, Ask]]
    list: str
    thing: str


FACES: Final[Mapping[str, Face]] = {
    "environment": Face(pages_of_the_environment, "dashboard:runs", "dashboard:run"),
    "organisation": Face(pages_of_the_organisation, "organisation:api-keys", "organisation:api-key-rename"),
    "rest": Face(rest, "v1/events", "v1/runs/<str:run_id>"),
    "graphql": Face(graphql, "runs", "run"),
}


def others_of(stage: Stage, face: str) -> list[Place]:
    return [stage.globex] if face == "organisation" else stage.others


def words_of(place: Place) -> list[bytes]:
    return [place.marker.encode(), f"api-{place.account.slug}".encode()]


def foreign(stage: Stage, face: str, content: bytes) -> set[bytes]:
    own = words_of(stage.production)
    others = [word for place in others_of(stage, face) for word in words_of(place)]
    return {word for word in others if word not in own and word in content}


@on_postgres
@pytest.mark.parametrize("face", FACES)
def test_a_forgotten_filter_shows_nothing_of_others(
    pg_stage: Stage, forgetful: Forgetting, face: str
) -> None:
    cases = FACES[face].asks(pg_stage)
    for name, ask in cases.items():
        status, content = seen(forgetful, ask, pg_stage.production)
        assert (status in (200, 204, 302, 422), foreign(pg_stage, face, content)) == (True, set()), name
    forgetful.is_barred = False
    _, content = seen(forgetful, cases[FACES[face].list], pg_stage.production)
    assert foreign(pg_stage, face, content) != set(), "no filter is forgotten"


@on_postgres
@pytest.mark.parametrize("face", FACES)
def test_with_forgotten_filters_ids_of_others_are_unknown(
    pg_stage: Stage, forgetful: Forgetting, face: str
) -> None:
    ghost, cases = ghost_of(pg_stage.production), FACES[face].asks(pg_stage)
    for name, ask in cases.items():
        expected, _ = seen(forgetful, ask, ghost)
        for other in others_of(pg_stage, face):
            status, content = seen(forgetful, ask, other)
            assert (status, foreign(pg_stage, face, content)) == (expected, set()), name
    forgetful.is_barred = False
    status, content = seen(forgetful, cases[FACES[face].thing], pg_stage.globex)
    assert (status, foreign(pg_stage, face, content) != set()) == (200, True), "no filter is forgotten"


@on_postgres
@pytest.mark.parametrize("path", ["/o/acme/env/production/runs", "/o/acme/settings/api-keys"])
def test_an_operators_look_is_in_the_scope_of_the_place(
    pg_stage: Stage, forgetful: Forgetting, path: str
) -> None:
    def ask(about: Place) -> Any:
        return Visitor(pg_stage.people.oscar).looks_into(about.account).ask("GET", path)

    status, content = seen(forgetful, ask, pg_stage.production)
    assert (status, foreign(pg_stage, "organisation", content)) == (200, set())
    forgetful.is_barred = False
    _, content = seen(forgetful, ask, pg_stage.production)
    assert foreign(pg_stage, "organisation", content) != set(), "no filter is forgotten"


@on_postgres
def test_an_export_is_made_in_the_scope_of_its_request(pg_stage: Stage, forgetful: Forgetting) -> None:
    """Its lines come when the request has been left."""

    def ask(about: Place) -> Any:
        path = f"/o/{about.account.slug}/settings/audit/export"
        return Visitor(pg_stage.people.alice).ask("POST", path, {"format": "jsonl"})

    def accounts() -> set[str]:
        _, content = seen(forgetful, ask, pg_stage.production)
        return {json.loads(line)["account_id"] for line in content.splitlines()}

    assert accounts() == {str(pg_stage.acme.id)}
    assert role_and_account() == ("postgres", "")
    forgetful.is_barred = False
    assert str(pg_stage.globex.account_id) in accounts()


def role_and_account() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, coalesce(current_setting('stepwell.account', true), '')")
        role, account = cursor.fetchone()
    return str(role), str(account)


@pytest.fixture
async def thread_of_sockets(pg_stage: Stage) -> AsyncIterator[None]:
    """Its connection is to the database of this test."""
    await sync_to_async(_forget_connection)()
    yield
    await sync_to_async(_forget_connection)()


def _forget_connection() -> None:
    connection.close()
    del connections["default"]


@on_postgres
async def test_a_socket_with_a_forgotten_filter_hears_nothing_of_others(
    pg_stage: Stage, thread_of_sockets: None, forgetful: Forgetting, settings: Settings
) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    channel_layers.backends = {}
    own, *others = [run_topic(place.ended_run_id) for place in (pg_stage.production, *pg_stage.others)]
    alice, path = pg_stage.people.alice, pg_stage.production.path
    assert await subscribed(alice, path, own, *others) == [own]
    forgetful.is_barred = False
    assert await subscribed(alice, path, own, *others) == [own, *others], "no filter is forgotten"


async def subscribed(user: User, path: str, *topics: str) -> list[str]:
    session = SessionStore()
    await sync_to_async(session.create)()
    tab = Tab([(b"host", b"stepwell.test")], {"user": user, "session": session}, path)
    assert (await tab.connect())["type"] == "websocket.accept"
    await tab.send({"subscribe": topics})
    answer = await tab.receive()
    await tab.disconnect()
    return answer["subscribed"]


# Where a scope of one environment shows rows of others, and why.
BEYOND: Final[Mapping[str, str]] = {
    "tenancy_membership_environments": "the switcher lists what a restricted member sees",
    "tenancy_invitation_environments": "as of members",
}


def tables_with_an_environment() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE column_name = 'environment_id' AND table_schema = 'public'"
        )
        return {row[0] for row in cursor.fetchall()}


def environments_in(table: str) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT environment_id FROM {table} WHERE environment_id IS NOT NULL")
        return {row[0] for row in cursor.fetchall()}


@on_postgres
def test_an_environments_scope_bounds_every_table_with_an_environment(pg_stage: Stage) -> None:
    """A new table with such a column needs a policy that says so, or a reason in BEYOND; and a row in each
    place of the cast."""
    fill_what_the_cast_lacks(pg_stage)
    own, tables = pg_stage.production.environment.id, tables_with_an_environment()
    places = {own, *(place.environment.id for place in pg_stage.others)}
    assert tables <= set(POLICIES)
    assert [table for table in sorted(tables) if not environments_in(table) >= places] == []
    with tenant_scope(pg_stage.acme.id, own):
        shown = {table: environments_in(table) for table in tables}
    of_acme = places - {pg_stage.globex.environment.id}
    for table in tables:
        assert shown[table] & places == (of_acme if table in BEYOND else {own}), table


@on_postgres
def test_an_organisations_scope_bounds_every_table(pg_stage: Stage) -> None:
    fill_what_the_cast_lacks(pg_stage)
    foreign_id = pg_stage.globex.environment.id
    of_acme = {pg_stage.production.environment.id, pg_stage.staging.environment.id}
    with tenant_scope(pg_stage.acme.id):
        shown = {table: environments_in(table) for table in tables_with_an_environment()}
    # Outcomes of events have no account: they are read in their environment only.
    assert shown.pop("events_eventoutcome") == set()
    for table, environments in shown.items():
        assert (environments >= of_acme, foreign_id in environments) == (True, False), table


def fill_what_the_cast_lacks(stage: Stage) -> None:
    for place in (stage.production, *stage.others):
        AppKeyUse.objects.create(
            app_id=place.app.id,
            environment=place.environment,
            signing_key_id=place.ids["signing_key"],
            seen_at=timezone.now(),
        )
        place.api_key(Permission.VIEW)
    for organisation, places in (
        (stage.acme, [stage.production, stage.staging]),
        (stage.globex.account, [stage.globex]),
    ):
        environments = [place.environment for place in places]
        membership = Membership.objects.filter(account=organisation).exclude(role=Role.OWNER).first()
        for row in (membership or Membership.objects.get(account=organisation), _invitation(organisation)):
            row.environments.set(environments)


def _invitation(organisation: Account) -> Invitation:
    return Invitation.objects.get(account=organisation)
