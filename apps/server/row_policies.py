"""What PostgreSQL lets a tenant's requests see of each table (apps/tenancy/row_security.py).

The policies are for the role `stepwell_tenant` only. They are put in place after each migration that finds
them other than they are here; a table of a new model needs a line here (tests/integration/tenancy).
"""

import hashlib
import logging
from collections.abc import Mapping
from typing import Any, Final

from django.core import checks
from django.db import Error, connection, connections, transaction
from django.db.backends.utils import CursorWrapper

from apps.tenancy.row_security import OFF, ROLE, is_ready

logger = logging.getLogger(__name__)

_FUNCTIONS: Final = "".join(
    f"CREATE OR REPLACE FUNCTION stepwell_{name}() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS"
    f" $$ SELECT nullif(current_setting('stepwell.{name}', true), '')::uuid $$;"
    for name in ("account", "environment", "user")
)
# A subquery without parameters is worked out once a query, not once a row.
_ACCOUNT: Final = "account_id = (SELECT stepwell_account())"
_ENVIRONMENT: Final = (
    f"{_ACCOUNT} AND environment_id = coalesce((SELECT stepwell_environment()), environment_id)"
)
_ONLY_ENVIRONMENT: Final = "environment_id = (SELECT stepwell_environment())"
# Branches use the keys of their parent.
_KEY_OWNERS: Final = (
    "SELECT unnest(ARRAY[e.id, e.parent_id]) FROM tenancy_environment e"
    " WHERE e.id = (SELECT stepwell_environment())"
)
_OF_KEYS: Final = (
    f"{_ACCOUNT} AND ((SELECT stepwell_environment()) IS NULL OR environment_id IN ({_KEY_OWNERS}))"
)
# A key of all environments is of each.
_OF_API_KEYS: Final = (
    f"{_ACCOUNT} AND (environment_id IS NULL"
    " OR environment_id = coalesce((SELECT stepwell_environment()), environment_id))"
)
# What is of no environment is told in the scope of the organisation only.
_OF_LOG: Final = (
    f"{_ACCOUNT} AND ((SELECT stepwell_environment()) IS NULL"
    " OR environment_id = (SELECT stepwell_environment()))"
)


def _with(table: str, parent: str, column: str, key: str) -> str:
    """Visible as its parent is; the parent's own policy is part of that."""
    return f"EXISTS (SELECT 1 FROM {parent} p WHERE p.{key} = {table}.{column})"  # noqa: S608 names of this module


# Table -> what its rows must fulfil to be seen, written and deleted.
POLICIES: Final[Mapping[str, str]] = {
    "tenancy_account": "id = (SELECT stepwell_account())",
    "tenancy_environment": _ACCOUNT,
    "tenancy_membership": _ACCOUNT,
    "tenancy_membership_environments": _with(
        "tenancy_membership_environments", "tenancy_membership", "membership_id", "id"
    ),
    "tenancy_invitation": _ACCOUNT,
    "tenancy_invitation_environments": _with(
        "tenancy_invitation_environments", "tenancy_invitation", "invitation_id", "id"
    ),
    "credentials_eventkey": _OF_KEYS,
    "credentials_signingkey": _OF_KEYS,
    "credentials_apikey": _OF_API_KEYS,
    "credentials_personaltoken": _ACCOUNT,
    # A key of branches takes what is noted of their apps along when it goes.
    "credentials_appkeyuse": _with("credentials_appkeyuse", "credentials_signingkey", "signing_key_id", "id"),
    "audit_auditentry": _OF_LOG,
    "audit_audithead": _ACCOUNT,
    "audit_sinks_auditsink": _ACCOUNT,
    "signin_ssoconnection": _ACCOUNT,
    "signin_ssodomain": _with("signin_ssodomain", "signin_ssoconnection", "connection_id", "id"),
    "registry_app": _ENVIRONMENT,
    "registry_sync": _ENVIRONMENT,
    "registry_function": _ENVIRONMENT,
    "registry_functionversion": _ENVIRONMENT,
    "operations_cancellation": _ENVIRONMENT,
    "events_event": _ENVIRONMENT,
    "events_eventoutcome": _ONLY_ENVIRONMENT,
    "events_eventpayload": _with("events_eventpayload", "events_event", "key", "key"),
    "runs_run": _ENVIRONMENT,
    "runs_runevent": _with("runs_runevent", "runs_run", "run_id", "run_id"),
    "runs_runpayload": _with("runs_runpayload", "runs_run", "run_id", "run_id"),
    "runs_stepattempt": _with("runs_stepattempt", "runs_run", "run_id", "run_id"),
    "runs_steppayload": _with("runs_steppayload", "runs_run", "run_id", "run_id"),
    "webhooks_webhook": _with("webhooks_webhook", "credentials_eventkey", "key_id", "id"),
    # A webhook of branches has one log, whichever branch its events went to.
    "webhooks_delivery": _with("webhooks_delivery", "webhooks_webhook", "webhook_id", "key_id"),
}
# What rows that are added must fulfil, where that is less: what happens is on record wherever it happens.
_ADDED: Final[Mapping[str, str]] = {"audit_auditentry": _ACCOUNT}
_OWN_NAME: Final = "stepwell_own"
# What a signed-in person sees beyond: the organisations to switch to.
_OWN: Final[Mapping[str, str]] = {
    "tenancy_membership": "user_id = (SELECT stepwell_user())",
    "tenancy_account": "EXISTS (SELECT 1 FROM tenancy_membership m WHERE m.account_id = tenancy_account.id"
    " AND m.user_id = (SELECT stepwell_user()))",
}


def install(using: str = "default", **_: Any) -> None:
    """Receives post_migrate. Where the user may not make the role, the log says that the barrier is off."""
    database = connections[using]
    if database.vendor != "postgresql":
        return
    with transaction.atomic(using=using), database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('stepwell_row_policies'))")
        present = set(database.introspection.table_names(cursor))
        script = _script(present)
        mark = hashlib.sha256((script + str(sorted(present))).encode()).hexdigest()
        if not _has_role(cursor, using):
            logger.warning(OFF)
        elif _mark(cursor) != mark or _in_force(cursor) != expected_policies(present):
            cursor.execute(f"{script} COMMENT ON FUNCTION stepwell_environment() IS '{mark}'")


def expected_policies(present: set[str]) -> set[tuple[str, str]]:
    """Table and name of each policy, for the tables that are there."""
    tenant = {(table, ROLE) for table in POLICIES}
    own = {(table, _OWN_NAME) for table in _OWN}
    return {(table, name) for table, name in tenant | own if table in present}


def missing_barrier(**_: Any) -> list[checks.CheckMessage]:
    """For `check --deploy`. A database that cannot be reached is not this check's to tell."""
    try:
        is_off = connection.vendor == "postgresql" and not is_ready()
    except Error:
        return []
    return [checks.Warning(OFF, id="stepwell.W001")] if is_off else []


def _script(present: set[str]) -> str:
    """SQL that may be run again, for the tables that are there."""
    grants = (
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE};"
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {ROLE};"
    )
    policies = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
        + _policy(ROLE, table, "ALL", rule, _ADDED.get(table, rule))
        for table, rule in POLICIES.items()
        if table in present
    ]
    own = [_policy(_OWN_NAME, table, "SELECT", rule) for table, rule in _OWN.items() if table in present]
    return "".join([_FUNCTIONS, grants, *policies, *own])


def _policy(name: str, table: str, command: str, rule: str, added: str = "") -> str:
    check = f" WITH CHECK ({added})" if added else ""
    return (
        f"DROP POLICY IF EXISTS {name} ON {table};"
        f"CREATE POLICY {name} ON {table} FOR {command} TO {ROLE} USING ({rule}){check};"
    )


def _has_role(cursor: CursorWrapper, using: str) -> bool:
    """Whether the user may become the role, which is made if need be."""
    try:
        with transaction.atomic(using=using):
            cursor.execute("SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = %s", [ROLE])
            found = cursor.fetchone()
            if found is None:
                cursor.execute(f"CREATE ROLE {ROLE} NOLOGIN")
            if not (found and found[0]):
                cursor.execute(f"GRANT {ROLE} TO CURRENT_USER")
    except Error:
        logger.warning("the role %s cannot be made or used", ROLE, exc_info=True)
        return False
    return True


def _in_force(cursor: CursorWrapper) -> set[tuple[str, str]]:
    """A migration may have taken some away (apps/tenancy/policy_lifting.py)."""
    cursor.execute(
        "SELECT polrelid::regclass::text, polname FROM pg_policy WHERE polname IN (%s, %s)", [ROLE, _OWN_NAME]
    )
    return {(table, name) for table, name in cursor.fetchall()}


def _mark(cursor: CursorWrapper) -> str | None:
    cursor.execute("SELECT obj_description(to_regproc('stepwell_environment'), 'pg_proc')")
    row = cursor.fetchone()
    return row[0] if row else None
