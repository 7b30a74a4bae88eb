"""The way to other environments and organisations. Switching keeps the section, and drops what is of one
environment only (spec 05, 1.4 and 5.1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from apps.dashboard.navigation import MANAGE, WORKFLOW
from apps.dashboard.places import environment_url, organisation_url
from apps.dashboard.selectors.environments import own_environments, recent_branches
from apps.dashboard.tenant import root_url
from apps.identity.models import User
from apps.tenancy.access import Access
from apps.tenancy.models import Account, Environment, EnvironmentType

RECENT_BRANCHES: Final = 5
MAX_ORGANISATIONS: Final = 20
_FIRST_PAGE: Final = "dashboard:runs"
_KINDS: Final = {
    EnvironmentType.PRODUCTION: "production",
    EnvironmentType.TEST: "custom",
    EnvironmentType.BRANCH_PARENT: "branches",
    EnvironmentType.BRANCH_CHILD: "branch",
}
_SECTIONS: Final = {page.section: page.name for page in (*WORKFLOW, *MANAGE)}


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    url: str
    kind: str
    colour: str
    is_current: bool
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class ChoiceGroup:
    title: str
    choices: list[Choice]


def kind_of(environment: Environment) -> str:
    return _KINDS[EnvironmentType(environment.type)]


def colour_of(environment: Environment) -> str:
    """The one that was chosen, else one of its type; production is told from everything else."""
    return environment.colour or {"production": "red", "custom": "blue"}.get(kind_of(environment), "teal")


def environment_choices(access: Access, section: str) -> list[ChoiceGroup]:
    """Production first, then custom environments, then the branches that synced last. What is archived is in
    no list, unless it is open."""
    page = _SECTIONS.get(section, _FIRST_PAGE)
    rows = own_environments(access)
    branches = recent_branches(access, RECENT_BRANCHES)
    current = access.environment
    if current is not None and current not in rows and current not in branches:
        (branches if current.parent_id else rows).insert(0, current)
    groups = (
        ("Production", _of_type(rows, EnvironmentType.PRODUCTION)),
        ("Custom", _of_type(rows, EnvironmentType.TEST)),
        ("Branches", [*_of_type(rows, EnvironmentType.BRANCH_PARENT), *branches]),
    )
    return [
        ChoiceGroup(title, [_choice(access.account, row, page, row == current) for row in found])
        for title, found in groups
        if found
    ]


def organisation_choices(user: User, current: Account) -> list[Choice]:
    memberships = user.memberships.select_related("account").order_by("account__name")
    return [
        Choice(row.account.name, _switch_url(row.account), "", "", row.account_id == current.id)
        for row in memberships[:MAX_ORGANISATIONS]
    ]


def all_environments_url(access: Access) -> str:
    return organisation_url(access.account, "environments")


def _switch_url(account: Account) -> str:
    return f"{root_url('signin_switch')}?org={account.slug}"


def _of_type(rows: Iterable[Environment], kind: EnvironmentType) -> list[Environment]:
    return [row for row in rows if row.type == kind]


def _choice(account: Account, row: Environment, page: str, is_current: bool) -> Choice:
    url = environment_url(account, row, page)
    return Choice(row.name, url, kind_of(row), colour_of(row), is_current, row.is_archived)
