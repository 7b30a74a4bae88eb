"""PostgreSQL shows a tenant's request no rows but its own, whatever a query forgets."""

import uuid
from collections.abc import Callable
from contextlib import suppress

import pytest
import redis
from django.apps import apps
from django.db import DatabaseError, ProgrammingError, connection, models, transaction
from django.http import HttpRequest, HttpResponse
from pytest_django.fixtures import Settings

from apps.audit.models import AuditEntry
from apps.events.models import Event, EventOutcome, EventPayload
from apps.registry.models import App
from apps.runs.models import RunPayload
from apps.server.row_policies import POLICIES
from apps.tenancy.models import Account, Environment, Membership
from apps.tenancy.row_security import across_environments, enter_request, leave_after_request, tenant_scope
from tests.integration.tenancy.cast import Cast, make_cast

# What belongs to persons, or to the installation.
OF_NO_TENANT = {
    "identity_user",
    "identity_user_groups",
    "identity_user_user_permissions",
    "signin_setuptoken",
}


@pytest.fixture
def stage(default_database: str, queue: redis.Redis) -> Cast:
    assert default_database == "postgres"
    return make_cast()


on_postgres = pytest.mark.parametrize("default_database", ["postgres"], indirect=True)


def own_models() -> list[type[models.Model]]:
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if model.__module__.startswith("apps.")]


def test_every_table_of_tenants_has_a_policy() -> None:
    tables = {model._meta.db_table for model in own_models()} - OF_NO_TENANT
    assert tables == set(POLICIES)


@on_postgres
def test_every_policy_is_in_force(stage: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid"
            " WHERE relrowsecurity AND polname = 'stepwell_tenant'"
        )
        assert {row[0] for row in cursor.fetchall()} == set(POLICIES)


def add_event(environment: Environment) -> str:
    key = f"0:{uuid.uuid4()}"
    common = {"key": key, "environment_id": environment.id, "internal_id": "E"}
    Event.objects.create(
        **common, account_id=environment.account_id, external_id="e", name="n", ts=1, received_at=1,
        is_internal=False, source="api",
    )  # fmt: skip
    EventPayload.objects.create(key=key, body="{}")
    EventOutcome.objects.create(**common, handled_at=1)
    return key


@on_postgres
def test_an_unfiltered_query_shows_its_environment_only(stage: Cast) -> None:
    rows = [*stage.acme.environments.all(), *stage.other.environments.all()]
    keys = {row.id: add_event(row) for row in rows}
    own = stage.environment("production")
    with tenant_scope(stage.acme.id, own.id):
        for model in (Event, EventPayload, EventOutcome):
            assert list(model.objects.values_list("key", flat=True)) == [keys[own.id]]


@on_postgres
def test_no_table_shows_another_organisation_anything(stage: Cast) -> None:
    for row in stage.other.environments.all():
        add_event(row)
    with tenant_scope(uuid.uuid4(), uuid.uuid4()):
        counts = {table: _count(table) for table in POLICIES}
    assert counts == dict.fromkeys(POLICIES, 0)
    assert _count("events_eventpayload") > 0


@on_postgres
def test_what_is_of_the_organisation_is_seen_and_nothing_of_others(stage: Cast) -> None:
    own = stage.environment("production")
    with tenant_scope(stage.acme.id, own.id):
        assert list(Account.objects.all()) == [stage.acme]
        for model in (Environment, Membership, AuditEntry):
            assert set(model.objects.values_list("account_id", flat=True)) == {stage.acme.id}


@on_postgres
def test_a_person_sees_where_to_switch_to_and_changes_nothing_there(stage: Cast) -> None:
    stage.other.memberships.create(user=stage.alice, role="viewer")
    own = stage.environment("production")
    with tenant_scope(stage.acme.id, own.id, stage.alice.id):
        assert set(Account.objects.all()) == {stage.acme, stage.other}
        assert Account.objects.filter(id=stage.other.id).update(name="Taken") == 0


@on_postgres
def test_looking_across_environments_stays_in_the_organisation(stage: Cast) -> None:
    rows = [*stage.acme.environments.all(), *stage.other.environments.all()]
    keys = {row.id: add_event(row) for row in rows}
    own = stage.environment("production")
    all_own = {keys[row.id] for row in stage.acme.environments.all()}
    assert len(all_own) > 1
    with tenant_scope(stage.acme.id, own.id):
        with across_environments():
            assert set(Event.objects.values_list("key", flat=True)) == all_own
        assert list(Event.objects.values_list("key", flat=True)) == [keys[own.id]]


@on_postgres
def test_writes_into_another_environment_are_refused(stage: Cast) -> None:
    own, other = stage.environment("production"), stage.other.environments.get(slug="production")
    foreign = add_event(other)
    with tenant_scope(stage.acme.id, own.id):
        with pytest.raises(ProgrammingError, match="row-level security"):
            add_event(other)
        with pytest.raises(ProgrammingError, match="row-level security"):
            App.objects.create(account_id=other.account_id, environment_id=other.id)
        with pytest.raises(ProgrammingError, match="row-level security"):
            RunPayload.objects.create(run_id="of nobody here")
        assert Event.objects.filter(key=foreign).update(name="taken") == 0
        assert EventPayload.objects.filter(key=foreign).delete()[0] == 0
    assert EventPayload.objects.filter(key=foreign).exists()


@on_postgres
def test_nothing_is_visible_where_no_tenant_is_named(stage: Cast) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE stepwell_tenant")
        assert [_count(table) for table in POLICIES] == [0] * len(POLICIES)


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def failing(request: HttpRequest) -> HttpResponse:
    raise LookupError


def broken(request: HttpRequest) -> HttpResponse:
    """Leaves a transaction that is aborted."""
    connection.set_autocommit(False)
    with suppress(DatabaseError):
        _count("no_such_table")
    return HttpResponse()


@on_postgres
@pytest.mark.parametrize("view", [plain, failing, broken])
def test_the_connection_is_clean_after_the_request(
    stage: Cast, settings: Settings, view: Callable[[HttpRequest], HttpResponse]
) -> None:
    settings.STEPWELL_MODE = "server"
    seen = []

    def entered(request: HttpRequest) -> HttpResponse:
        enter_request(request, stage.acme.id, stage.environment("production").id)
        seen.append(_role())
        return view(request)

    try:
        leave_after_request(entered)(HttpRequest())
    except LookupError:
        assert view is failing
    assert seen == [("stepwell_tenant", str(stage.acme.id))]
    assert _role() == ("postgres", "")


@on_postgres
def test_a_payload_is_read_by_its_index(stage: Cast) -> None:
    for row in stage.acme.environments.all():
        add_event(row)
    own = stage.environment("production")
    with tenant_scope(stage.acme.id, own.id), connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT body FROM events_eventpayload WHERE key = '0:1'")
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert "events_eventpayload_pkey" in plan or "events_eventpayload_key" in plan
    assert "events_event_pkey" in plan or "events_event_key" in plan
    assert "Seq Scan" not in plan


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def _role() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, coalesce(current_setting('stepwell.account', true), '')")
        role, account = cursor.fetchone()
        return str(role), str(account)
