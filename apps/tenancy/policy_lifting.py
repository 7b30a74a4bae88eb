"""For migrations that change the type of a column, or drop one, which policies of row-level security use:
PostgreSQL refuses that while they are there.

The policies are put in place again once all migrations are through (apps/server/row_policies.py). Until then
requests of tenants see nothing of the tables, since their row-level security stays on.
"""

from typing import Any, Final

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

# The policies of a table, and those of other tables that look into it.
_POLICIES: Final = """
    SELECT DISTINCT quote_ident(polname), polrelid::regclass::text
    FROM pg_policy JOIN pg_depend ON classid = 'pg_policy'::regclass AND objid = pg_policy.oid
    WHERE refclassid = 'pg_class'::regclass AND refobjid = to_regclass(%s) AND polname LIKE 'stepwell\\_%%'
"""


def lift_policies(table: str) -> RunPython:
    """The operation of a migration that comes before those on the table's columns; the same in reverse."""

    def lift(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor != "postgresql":
            return
        with editor.connection.cursor() as cursor:
            cursor.execute(_POLICIES, [table])
            for policy, of_table in cursor.fetchall():
                cursor.execute(f"DROP POLICY {policy} ON {of_table}")

    return RunPython(lift, lift)
