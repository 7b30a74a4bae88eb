"""The tables of docs/teams.md say what the code grants."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from apps.credentials.permissions import GRANTABLE, PRESETS, SIGNING_KEY_PERMISSIONS
from apps.credentials.wording import PRESET_WORDS
from apps.tenancy.models import EnvironmentType, Role
from apps.tenancy.permissions import Permission, permissions_of

DOCUMENT: Final = (Path(__file__).resolve().parents[3] / "docs" / "teams.md").read_text()
EVERYTHING: Final = "all of the table above but "


def rows(head: str) -> Iterator[list[str]]:
    """The cells of each row of the table that begins with this head."""
    _, _, rest = DOCUMENT.partition(f"\n| {head} |")
    assert rest, head
    for line in rest.split("\n\n")[0].splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def named(text: str) -> frozenset[Permission]:
    return frozenset(Permission(name) for name in re.findall(r"`([a-z._]+)`", text))


def granted(role: Role, permission: Permission) -> str:
    if permission in permissions_of(role, EnvironmentType.PRODUCTION):
        return "yes"
    return "not production" if permission in permissions_of(role, EnvironmentType.TEST) else "\N{EN DASH}"


def test_the_roles_have_these_permissions() -> None:
    written = {Permission(row[0].strip("`")): row[2:] for row in rows("Permission")}
    assert list(written) == list(Permission)
    for permission, cells in written.items():
        assert cells == [granted(role, permission) for role in Role], permission


def test_the_columns_are_the_roles_in_their_order() -> None:
    head = re.search(r"^\| Permission \|(.*)\|$", DOCUMENT, re.MULTILINE)
    assert head
    assert [cell.strip() for cell in head[1].split("|")][1:] == [role.label for role in Role]


def test_branches_and_custom_environments_are_alike() -> None:
    """The table has one column for all that is not production."""
    for role in Role:
        of_test = permissions_of(role, EnvironmentType.TEST)
        assert of_test == permissions_of(role, EnvironmentType.BRANCH_PARENT)
        assert of_test == permissions_of(role, EnvironmentType.BRANCH_CHILD)


def test_the_choices_of_an_api_key_have_these_permissions() -> None:
    written = {
        label: frozenset(Permission) - named(text) if text.startswith(EVERYTHING) else named(text)
        for label, text in rows("What it may do")
    }
    assert written == {PRESET_WORDS[name]: permissions for name, permissions in PRESETS.items()}
    assert written["Everything that keys may do"] == GRANTABLE


def test_the_signing_key_has_these_permissions() -> None:
    line = re.search(r"^- The signing key opens REST.*$", DOCUMENT, re.MULTILINE)
    assert line
    assert named(line[0]) == SIGNING_KEY_PERMISSIONS
