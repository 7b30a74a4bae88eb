"""What the command palette finds (spec 05, 5.1): pages, environments, functions and apps by name, runs and
events by id."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from apps.dashboard.places import environment_url
from apps.dashboard.selectors.environments import own_environments, recent_branches, visible_qs
from apps.dashboard.shell import Shell
from apps.dashboard.switching import kind_of
from apps.events.models import Event
from apps.registry.models import App
from apps.registry.selectors import functions_qs
from apps.runs.models import Run
from apps.tenancy.access import Access
from apps.tenancy.models import Environment
from apps.tenancy.permissions import Permission
from apps.tenancy.row_security import across_environments

MOST: Final = 8
MIN_LETTERS: Final = 2
_BRANCHES: Final = 50
_ULID: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


@dataclass(frozen=True, slots=True)
class Found:
    label: str
    url: str
    icon: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class FoundGroup:
    title: str
    items: list[Found]


def search(shell: Shell, text: str) -> list[FoundGroup]:
    """Without a text, all pages."""
    wanted = text.strip()
    groups = [FoundGroup("Pages", _pages(shell, wanted))]
    if len(wanted) >= MIN_LETTERS:
        groups = [*_by_id(shell, wanted), *groups, *_by_name(shell, wanted)]
    return [group for group in groups if group.items]


def _pages(shell: Shell, text: str) -> list[Found]:
    links = [link for group in shell.groups for link in group.links]
    return [Found(link.label, link.url, link.icon) for link in links if _holds(link.label, text)]


def _by_name(shell: Shell, text: str) -> Iterator[FoundGroup]:
    environment = shell.environment
    if environment is not None and shell.access.has(Permission.VIEW):
        yield FoundGroup("Functions", _functions(environment.id, text))
        yield FoundGroup("Apps", _apps(environment.id, text))
    if shell.is_server:
        yield FoundGroup("Environments", _environments(shell.access, text))


def _functions(environment_id: UUID, text: str) -> list[Found]:
    rows = functions_qs(environment_id).filter(Q(name__icontains=text) | Q(slug__icontains=text))
    return [
        Found(row.name, reverse("dashboard:function", args=[row.slug]), "square-function", row.slug)
        for row in rows[:MOST]
    ]


def _apps(environment_id: UUID, text: str) -> list[Found]:
    rows = App.objects.filter(environment_id=environment_id, archived_at=None, name__icontains=text)
    url = reverse("dashboard:apps")
    return [Found(row.name, f"{url}#app-{row.id}", "boxes", row.url) for row in rows.order_by("name")[:MOST]]


def _environments(access: Access, text: str) -> list[Found]:
    rows = [*own_environments(access), *recent_branches(access, _BRANCHES)]
    found = [row for row in rows if _holds(row.name, text)]
    return [
        Found(row.name, environment_url(access.account, row, "dashboard:runs"), "layers", kind_of(row))
        for row in found[:MOST]
    ]


def _by_id(shell: Shell, text: str) -> Iterator[FoundGroup]:
    """In every environment that the person sees; elsewhere an id is unknown."""
    wanted = text.upper()
    if not _ULID.fullmatch(wanted) or not shell.access.has(Permission.VIEW):
        return
    seen = {row.id: row for row in _seen(shell)}
    runs = Run.objects.filter(run_id=wanted, environment_id__in=seen)
    events = Event.objects.filter(internal_id=wanted, environment_id__in=seen)
    for title, name, icon, rows in (
        ("Runs", "dashboard:run", "chart-gantt", runs),
        ("Events", "dashboard:event", "zap", events),
    ):
        with across_environments():
            places = list(rows.values_list("environment_id", flat=True)[:MOST])
        items = [_of_id(shell, seen[place], wanted, name, icon) for place in dict.fromkeys(places)]
        yield FoundGroup(title, items)


def _seen(shell: Shell) -> list[Environment]:
    if not shell.is_server:
        return [shell.environment] if shell.environment else []
    return list(visible_qs(shell.access))


def _of_id(shell: Shell, environment: Environment, found: str, name: str, icon: str) -> Found:
    if not shell.is_server or environment == shell.environment:
        return Found(found, reverse(name, args=[found]), icon)
    url = environment_url(shell.access.account, environment, name, found)
    return Found(found, url, icon, f"in {environment.name}")


def _holds(label: str, text: str) -> bool:
    return text.lower() in label.lower()
