"""Every cell of the table of spec 05, 1.3, written out: rows are capabilities, columns are roles."""

import itertools

import pytest

from apps.tenancy.models import EnvironmentType, Role
from apps.tenancy.permissions import Permission, permissions_of, roles_with

P = Permission
ROLES = (
    *(Role.OWNER, Role.ADMIN, Role.DEVELOPER, Role.OPERATOR),
    *(Role.VIEWER, Role.BILLING, Role.AUDITOR),
)
# Of each cell: "y" everywhere, "n" outside of production only, "-" nowhere. Columns are those of ROLES.
TABLE = """
view               y y y y y - y
data.read          y y y y y - -
event.send         y y n y - - -
run.cancel         y y n y - - -
run.rerun          y y n y - - -
function.invoke    y y n y - - -
function.pause     y y n y - - -
run.cancel.bulk    y y n y - - -
replay             y y n y - - -
app.sync           y y n y - - -
app.archive        y y n y - - -
environment.manage y y - - - - -
key.event.reveal   y y n - - - -
key.signing.reveal y y n - - - -
key.manage         y y - - - - -
webhook.manage     y y n - - - -
api_key.manage     y y - - - - -
insights.query     y y y y - - -
alert.manage       y y y y - - -
member.manage      y y - - - - -
sso.manage         y y - - - - -
account.manage     y y - - - - -
usage.view         y y - - - y -
audit.read         y y - - - - y
account.delete     y - - - - - -
"""
CELLS = [
    pytest.param(Permission(name), role, cell, id=f"{role}-{name}")
    for name, *cells in map(str.split, TABLE.strip().splitlines())
    for role, cell in zip(ROLES, cells, strict=True)
]
OUTSIDE = (EnvironmentType.TEST, EnvironmentType.BRANCH_PARENT, EnvironmentType.BRANCH_CHILD)


@pytest.mark.parametrize(("permission", "role", "cell"), CELLS)
def test_cell(permission: Permission, role: Role, cell: str) -> None:
    assert (permission in permissions_of(role, EnvironmentType.PRODUCTION)) == (cell == "y")
    assert (permission in permissions_of(role)) == (cell == "y")
    for kind in OUTSIDE:
        assert (permission in permissions_of(role, kind)) == (cell in ("y", "n"))


def test_the_table_is_complete() -> None:
    named = {(param.values[0], param.values[1]) for param in CELLS}
    assert named == set(itertools.product(Permission, Role))


def test_who_can_is_told_by_the_environment() -> None:
    assert roles_with(P.REPLAY, EnvironmentType.PRODUCTION) == [Role.OWNER, Role.ADMIN, Role.OPERATOR]
    assert roles_with(P.REPLAY, EnvironmentType.TEST) == [
        *(Role.OWNER, Role.ADMIN, Role.DEVELOPER, Role.OPERATOR)
    ]
    assert roles_with(P.ACCOUNT_DELETE) == [Role.OWNER]
