"""Policies of row-level security: no table lacks one, they stay in force, and queries keep their indexes."""

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import redis
from django.apps import apps
from django.core.checks import run_checks
from django.db import NotSupportedError, connection, migrations, models
from django.db.migrations.state import ProjectState
from django.test.utils import CaptureQueriesContext

from apps.events import selectors as event_selectors
from apps.events.models import Event, EventPayload
from apps.runs import selectors as run_selectors
from apps.runs.models import Run, RunEvent, RunPayload, StepAttempt, StepPayload
from apps.server.row_policies import POLICIES, expected_policies, install, missing_barrier
from apps.tenancy import row_security
from apps.tenancy.models import Environment
from apps.tenancy.policy_lifting import lift_policies
from apps.tenancy.row_security import OFF, tenant_scope
from tests.conftest import free_port
from tests.integration.databases import on_postgres
from tests.integration.tenancy.cast import Cast, make_cast

# What belongs to persons, or to the installation.
OF_NO_TENANT = {
    "identity_user",
    "identity_user_groups",
    "identity_user_user_permissions",
    "signin_setuptoken",
    "socialaccount_socialtoken",  # its account is a person's at a provider
}
RUNS = 30_000


@pytest.fixture
def stage(default_database: str, queue: redis.Redis) -> Cast:
    assert default_database == "postgres"
    return make_cast()


def own_models() -> list[type[models.Model]]:
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if model.__module__.startswith("apps.")]


def test_every_table_of_tenants_has_a_policy() -> None:
    tables = {model._meta.db_table for model in own_models()} - OF_NO_TENANT
    assert tables == set(POLICIES), "add it to POLICIES in apps/server/row_policies.py"


@on_postgres
def test_every_table_that_leads_to_a_tenant_has_a_policy(stage: Cast) -> None:
    """Whoever made it: by its columns, and by its foreign keys."""
    tables = {row[0] for row in _rows(OF_TENANTS)}
    assert tables - OF_NO_TENANT <= set(POLICIES), "add it to POLICIES in apps/server/row_policies.py"
    assert {
        "tenancy_membership_environments",
        "signin_ssodomain",
        "webhooks_webhook",
        "audit_audithead",
    } <= tables


OF_TENANTS = """
    WITH RECURSIVE led(relation) AS (
        SELECT 'tenancy_account'::regclass::oid
        UNION SELECT attrelid FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            WHERE attname IN ('account_id', 'environment_id') AND relkind IN ('r', 'p')
            AND relnamespace = 'public'::regnamespace AND NOT attisdropped
        UNION SELECT conrelid FROM led JOIN pg_constraint ON confrelid = relation AND contype = 'f'
    )
    SELECT relation::regclass::text FROM led
"""


@on_postgres
def test_every_policy_is_in_force(stage: Cast) -> None:
    found = _rows(
        "SELECT relname FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid WHERE relrowsecurity"
    )
    assert {row[0] for row in found} == set(POLICIES)
    assert _policies() == expected_policies(set(POLICIES))


@on_postgres
def test_a_migration_that_changes_a_column_lifts_the_policies_that_use_it(stage: Cast) -> None:
    """And they are back once all migrations are through, the table closed meanwhile."""
    event = _add_event(stage.environment("production"))
    (before,) = _rows(TYPE_OF_KEY)
    change = migrations.RunSQL("ALTER TABLE events_event ALTER COLUMN key TYPE text")
    with pytest.raises(NotSupportedError, match="used in a policy"):
        _apply(change)
    _apply(lift_policies("events_event"), change)
    assert expected_policies(set(POLICIES)) - _policies() == {
        ("events_event", "stepwell_tenant"), ("events_eventpayload", "stepwell_tenant")
    }  # fmt: skip
    with tenant_scope(stage.acme.id):
        assert not Event.objects.exists()
    _apply(migrations.RunSQL(f"ALTER TABLE events_event ALTER COLUMN key TYPE {before[0]}"))
    install()
    assert _policies() == expected_policies(set(POLICIES))
    with tenant_scope(stage.acme.id):
        assert list(Event.objects.values_list("key", flat=True)) == [event]


TYPE_OF_KEY = (
    "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
    " WHERE attrelid = 'events_event'::regclass AND attname = 'key'"
)


def _apply(*operations: Any) -> None:
    state = ProjectState()
    with connection.schema_editor() as editor:
        for operation in operations:
            operation.database_forwards("events", editor, state, state)


@pytest.fixture
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has not asked yet whether the barrier stands."""
    monkeypatch.setattr(row_security, "_ready", {})


@pytest.fixture
def plain_user(stage: Cast, unasked: None) -> Iterator[None]:
    """The connection is that of a user who may use no role and make none."""
    _run(
        "CREATE ROLE plain",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain",
        "SET SESSION AUTHORIZATION plain",
    )
    yield
    _run("RESET SESSION AUTHORIZATION", "DROP OWNED BY plain", "DROP ROLE plain")


def _warnings() -> list[str]:
    found = run_checks(tags=["security"], include_deployment_checks=True)
    return [str(message.msg) for message in found if message.id == "stepwell.W001"]


@on_postgres
def test_the_check_is_silent_where_the_barrier_stands(stage: Cast, unasked: None) -> None:
    assert _warnings() == []


@on_postgres
def test_the_check_warns_where_the_user_may_not_use_the_role(
    plain_user: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert _warnings() == [OFF]
    install()
    assert caplog.messages.count(OFF) == 2


@on_postgres
def test_without_the_barrier_requests_go_on(stage: Cast, plain_user: None) -> None:
    with tenant_scope(stage.acme.id):
        assert _rows("SELECT current_user") == [("plain",)]


@on_postgres
def test_the_check_leaves_a_database_that_is_away_to_others(
    stage: Cast, unasked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", free_port())
    assert missing_barrier() == []


def test_the_check_is_silent_on_sqlite(db: None, unasked: None) -> None:
    if connection.vendor == "sqlite":
        assert _warnings() == []


@pytest.fixture
def history(stage: Cast) -> tuple[Environment, list[str]]:
    """An environment with enough runs that PostgreSQL itself decides for an index, and the ids of some."""
    environment = stage.environment("production")
    common = {"account_id": environment.account_id, "environment_id": environment.id}
    first, *_ = ids = [f"{number:026d}" for number in range(20)]
    Run.objects.create(
        run_id=first, app_id=uuid.uuid4(), function_id=uuid.uuid4(), function_version=1, status=300,
        queued_at=1, schedule_type="Event", has_output=True, version=1, **common,
    )  # fmt: skip
    RunPayload.objects.create(run_id=first, output="{}")
    RunEvent.objects.create(run_id=first, position=0, event_id=first)
    StepPayload.objects.create(run_id=first, step_id="a", attempt=0, output="{}")
    StepAttempt.objects.create(run_id=first, step_id="a", attempt=0, op="StepRun", status=1)
    _add_event(environment, first, first)
    EventPayload.objects.create(key=first, body="{}")
    for table, columns in COPIED.items():
        _copy(table, columns)
    _run("ANALYZE")
    return environment, ids


# By table, the columns that tell the copies of its first row apart.
COPIED = {
    "runs_run": ("run_id", "queued_at"),
    "runs_runpayload": ("run_id",),
    "runs_runevent": ("run_id", "event_id"),
    "runs_steppayload": ("run_id",),
    "runs_stepattempt": ("run_id",),
    "events_event": ("key", "internal_id"),
    "events_eventpayload": ("key",),
}


def _copy(table: str, columns: tuple[str, ...]) -> None:
    values = ", ".join(f"'{column}', lpad(n::text, 26, '0')" for column in columns)
    _run(
        f"INSERT INTO {table} SELECT (jsonb_populate_record(row, jsonb_build_object({values}))).*"
        f" FROM {table} row, generate_series(1, {RUNS}) n"
    )


Read = Callable[[uuid.UUID, list[str]], object]
READS: dict[str, Read] = {
    "run": lambda env, ids: run_selectors.run_get(env, ids[0]),
    "output": lambda env, ids: run_selectors.run_output(env, ids[0]),
    "outputs": run_selectors.run_outputs,
    "steps": lambda env, ids: run_selectors.run_steps(env, ids[0]),
    "step payload": lambda env, ids: run_selectors.step_payload(env, ids[0], "a", 0),
    "step payloads": lambda env, ids: run_selectors.step_payloads(env, ids[0]),
    "events of runs": run_selectors.run_event_ids,
    "runs of an event": lambda env, ids: run_selectors.runs_for_event(env, ids[0]),
    "event bodies": event_selectors.event_bodies,
    "list": lambda env, ids: run_selectors.run_list(env, run_selectors.RunFilter(), limit=40),
}


@on_postgres
def test_payloads_are_read_by_the_same_indexes_as_without_policies(
    history: tuple[Environment, list[str]],
) -> None:
    environment, ids = history
    queries = {name: _sql_of(partial(read, environment.id, ids)) for name, read in READS.items()}
    without = {name: _plan(sql) for name, sql in queries.items()}
    with tenant_scope(environment.account_id, environment.id):
        policed = {name: _plan(sql) for name, sql in queries.items()}
    for name, nodes in policed.items():
        indexes = {index for _, index in nodes if index}
        assert {index for _, index in without[name] if index} <= indexes, name
        assert [kind for kind, _ in nodes if kind == "Seq Scan"] == [], name


def _sql_of(read: Callable[[], object]) -> str:
    """Of its last query."""
    with CaptureQueriesContext(connection) as queries:
        read()
    return str(queries[-1]["sql"])


def _plan(sql: str) -> list[tuple[str, str]]:
    """The kind of each node, and the index that it follows."""
    ((root,),) = _rows(f"EXPLAIN (FORMAT JSON) {sql}")
    return list(_nodes(root[0]["Plan"]))


def _nodes(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield plan["Node Type"], plan.get("Index Name", "")
    for child in plan.get("Plans", []):
        yield from _nodes(child)


def _add_event(environment: Environment, key: str = "0:1", internal_id: str = "E") -> str:
    Event.objects.create(
        key=key, account_id=environment.account_id, environment_id=environment.id, internal_id=internal_id,
        external_id="e", name="n", ts=1, received_at=1, is_internal=False, source="api",
    )  # fmt: skip
    return key


def _policies() -> set[tuple[str, str]]:
    return {(table, name) for table, name in _rows("SELECT polrelid::regclass::text, polname FROM pg_policy")}


def _rows(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
