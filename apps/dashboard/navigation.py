"""The pages that the sidebar and the command palette lead to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from apps.dashboard.places import organisation_url
from apps.dashboard.tenant import root_url
from apps.tenancy.access import Access
from apps.tenancy.permissions import Permission

P = Permission


@dataclass(frozen=True, slots=True)
class Page:
    """`key` is the letter that, after `g`, goes to it; empty for none. A page that `needs` a permission is
    left out for those who lack it."""

    section: str
    label: str
    name: str
    icon: str
    key: str = ""
    needs: Permission | None = None


@dataclass(frozen=True, slots=True)
class Link:
    section: str
    label: str
    url: str
    icon: str
    key: str


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    links: list[Link]


WORKFLOW: Final = (
    Page("runs", "Runs", "dashboard:runs", "chart-gantt", "r", P.VIEW),
    Page("events", "Events", "dashboard:events", "zap", "e", P.VIEW),
    Page("functions", "Functions", "dashboard:functions", "square-function", "f", P.VIEW),
    Page("apps", "Apps", "dashboard:apps", "boxes", "a", P.VIEW),
)
MANAGE: Final = (
    Page("webhooks", "Webhooks", "dashboard:webhooks", "webhook", "w", P.VIEW),
    Page("keys", "Event keys", "dashboard:event-keys", "key", "k", P.VIEW),
    Page("signing-key", "Signing key", "dashboard:signing-key", "key-round", "s", P.VIEW),
    Page("settings", "Environment", "dashboard:settings", "settings", "", P.VIEW),
)
ORGANISATION: Final = (
    Page("org-environments", "Environments", "environments", "layers", "o"),
    Page("org-members", "Members", "members", "users", "m"),
    Page("org-api-keys", "API keys", "api-keys", "key-round"),
    Page("org-audit", "Audit log", "audit", "scroll-text", "", P.AUDIT_READ),
    Page("org-sso", "Single sign-on", "sso", "fingerprint", "", P.SSO_MANAGE),
    Page("org-general", "Settings", "general", "building-2"),
)
# What the pages of an environment link to of the organisation.
_FROM_ENVIRONMENT: Final = frozenset({"org-environments", "org-members", "org-general"})


def environment_groups(access: Access) -> list[Group]:
    """The sidebar of an environment in server mode."""
    organisation = [page for page in ORGANISATION if page.section in _FROM_ENVIRONMENT]
    groups = [
        Group("", environment_links(access, WORKFLOW)),
        Group("Manage", environment_links(access, MANAGE)),
        Group("Organisation", organisation_links(access, organisation)),
    ]
    return [group for group in groups if group.links]


def organisation_groups(access: Access) -> list[Group]:
    return [Group("Organisation", organisation_links(access, ORGANISATION))]


def development_groups() -> list[Group]:
    return [Group("", [_link(page, reverse(page.name)) for page in WORKFLOW])]


def environment_links(access: Access, pages: Sequence[Page]) -> list[Link]:
    return [_link(page, reverse(page.name)) for page in pages if _may(access, page)]


def organisation_links(access: Access, pages: Sequence[Page]) -> list[Link]:
    return [_link(page, _organisation_page(access, page)) for page in pages if _may(access, page)]


def _organisation_page(access: Access, page: Page) -> str:
    if page.section == "org-sso":
        return root_url("signin_connections", access.account.slug)
    return organisation_url(access.account, page.name)


def _may(access: Access, page: Page) -> bool:
    return page.needs is None or access.has(page.needs)


def _link(page: Page, url: str) -> Link:
    return Link(page.section, page.label, url, page.icon, page.key)
