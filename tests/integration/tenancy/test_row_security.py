"""PostgreSQL shows a tenant's request no rows but its own, whatever a query forgets."""

import uuid
from typing import Final
from uuid import UUID

import pytest
import redis
from django.db import ProgrammingError, connection, transaction

from apps.audit.models import AuditEntry
from apps.audit.services import SYSTEM, audit_record
from apps.credentials.exceptions import KeyLimit
from apps.credentials.models import ApiKey, EventKey, SigningKey
from apps.credentials.services import api_key_create, event_key_create
from apps.credentials.services.app_uses import app_key_use_record
from apps.credentials.services.provisioning import environment_provision
from apps.events.models import Event, EventOutcome, EventPayload
from apps.registry.models import App
from apps.registry.readiness import rotation_readiness
from apps.runs.models import RunPayload
from apps.server.row_policies import POLICIES
from apps.signin.models import SsoConnection, SsoDomain, SsoKind
from apps.signin.services.connections import DomainTaken, domain_add, domain_approve
from apps.signin.services.enforcing import is_outside
from apps.tenancy.models import Account, Environment, Membership
from apps.tenancy.permissions import Permission
from apps.tenancy.row_security import across_environments, tenant_scope
from apps.tenancy.services.branches import branch_resolve
from tests.integration.databases import on_postgres
from tests.integration.tenancy.cast import Cast, make_cast

VIEW: Final = Permission.VIEW


@pytest.fixture
def stage(default_database: str, queue: redis.Redis) -> Cast:
    assert default_database == "postgres"
    return make_cast()


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
        for model in (Environment, Membership):
            assert set(model.objects.values_list("account_id", flat=True)) == {stage.acme.id}
    with tenant_scope(stage.acme.id):
        assert set(AuditEntry.objects.values_list("account_id", flat=True)) == {stage.acme.id}


@on_postgres
def test_without_an_environment_all_of_the_organisation_are_seen(stage: Cast) -> None:
    keys = {add_event(row) for row in stage.acme.environments.all()}
    add_event(stage.other.environments.get(slug="production"))
    with tenant_scope(stage.acme.id):
        for model in (Event, EventPayload):
            assert set(model.objects.values_list("key", flat=True)) == keys


@pytest.fixture
def keys(stage: Cast) -> dict[str, set[UUID]]:
    """The ids of each environment's event key, signing key and API key; those of "all" name none."""
    found = {}
    for row in stage.acme.environments.all():
        environment_provision(row, SYSTEM)
        api_key_create(account=stage.acme, environment=row, name=row.slug, permissions=[VIEW], actor=SYSTEM)
        found[row.slug] = _keys_of(row)
    api_key_create(account=stage.acme, environment=None, name="all", permissions=[VIEW], actor=SYSTEM)
    return {**found, "all": _keys_of(None)}


def _keys_of(environment: Environment | None) -> set[UUID]:
    models = (ApiKey,) if environment is None else (EventKey, SigningKey, ApiKey)
    return {row.id for model in models for row in model.objects.filter(environment=environment)}


def a_branch(stage: Cast) -> Environment:
    parent = stage.environment("branch")
    return branch_resolve(parent=parent, name="feature", may_create=True, unarchives=False)


def _all_keys() -> set[UUID]:
    return {row.id for model in (EventKey, SigningKey, ApiKey) for row in model.objects.all()}


@on_postgres
def test_keys_are_seen_in_their_environment_and_its_branches(stage: Cast, keys: dict[str, set[UUID]]) -> None:
    for slug in ("production", "branch"):
        assert len(keys[slug]) == 3
        with tenant_scope(stage.acme.id, stage.environment(slug).id):
            assert _all_keys() == keys[slug] | keys["all"]
    branch = a_branch(stage)
    shared = set(ApiKey.objects.filter(environment=branch.parent).values_list("id", flat=True))
    with tenant_scope(stage.acme.id, branch.id):
        assert _all_keys() == keys["branch"] - shared | keys["all"]
    with tenant_scope(stage.acme.id):
        assert _all_keys() == set().union(*keys.values())


@on_postgres
def test_an_environments_log_is_its_own_and_what_happens_is_on_record_anyway(stage: Cast) -> None:
    own, other = stage.environment("production"), stage.environment("branch")
    with tenant_scope(stage.acme.id, own.id):
        for action, environment_id in (("a.own", own.id), ("a.other", other.id), ("a.none", None)):
            audit_record(account_id=stage.acme.id, actor=SYSTEM, action=action, environment_id=environment_id)
        assert list(AuditEntry.objects.values_list("action", flat=True)) == ["a.own"]
        with pytest.raises(ProgrammingError, match="row-level security"):
            audit_record(account_id=stage.other.id, actor=SYSTEM, action="a.foreign")
    assert stage.trail()[-3:] == ["a.own", "a.other", "a.none"]


@on_postgres
def test_the_limit_of_keys_counts_those_of_all_environments(stage: Cast, keys: dict[str, set[UUID]]) -> None:
    count = EventKey.objects.filter(account=stage.acme).count()
    Account.objects.filter(id=stage.acme.id).update(entitlements={"event_keys": count})
    own = stage.environment("production")
    with tenant_scope(stage.acme.id, own.id), pytest.raises(KeyLimit):
        event_key_create(environment=own, name="One more", actor=SYSTEM)
    assert EventKey.objects.filter(account=stage.acme).count() == count


@on_postgres
def test_a_page_of_branches_knows_which_of_their_apps_are_ready(
    stage: Cast, keys: dict[str, set[UUID]]
) -> None:
    parent = stage.environment("branch")
    branch = a_branch(stage)
    app = App.objects.create(account=stage.acme, environment=branch, name="shop", url="http://shop.test")
    key = SigningKey.objects.get(environment=parent)
    app_key_use_record(app_id=app.id, environment_id=branch.id, signing_key_id=str(key.id))
    with tenant_scope(stage.acme.id, parent.id):
        assert [(row.name, row.key_state) for row in rotation_readiness(parent)] == [("shop", "active")]
        assert not App.objects.exists()


@on_postgres
def test_a_domain_that_another_organisation_has_proven_is_taken(stage: Cast) -> None:
    ours, theirs = (
        SsoConnection.objects.create(account=account, kind=SsoKind.OIDC, name="sso", config_encrypted="c")
        for account in (stage.acme, stage.other)
    )
    domain_approve(domain=domain_add(connection=theirs, domain="x.example", actor=SYSTEM), actor=SYSTEM)
    with tenant_scope(stage.acme.id):
        with pytest.raises(DomainTaken):
            domain_add(connection=ours, domain="x.example", actor=SYSTEM)
        assert list(SsoConnection.objects.all()) == [ours]
        assert not SsoDomain.objects.exists()


@on_postgres
def test_single_sign_on_of_another_organisation_is_a_must_wherever_its_person_is(stage: Cast) -> None:
    connection = SsoConnection.objects.create(
        account=stage.acme,
        kind=SsoKind.OIDC,
        name="sso",
        config_encrypted="c",
        is_enabled=True,
        is_enforced=True,
    )
    address_domain = stage.adam.email.rpartition("@")[2]
    domain_approve(
        domain=domain_add(connection=connection, domain=address_domain, actor=SYSTEM), actor=SYSTEM
    )
    with tenant_scope(stage.other.id, user_id=stage.adam.id):
        assert is_outside(stage.adam, {})
        assert not is_outside(stage.alice, {})
        assert not SsoConnection.objects.exists()


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


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])
