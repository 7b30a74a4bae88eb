"""The panel of requests that were refused at the door."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Final
from uuid import UUID

from django.urls import reverse

from apps.dashboard.selectors.refusals import refusals
from apps.refusals.refusal import HIDDEN, Face, Refusal
from apps.refusals.store import RefusalRow
from apps.registry.selectors import functions_qs

_FACES: Final = {
    Face.EVENTS: "Event API",
    Face.INVOKE: "Invoke",
    Face.SDK: "SDK",
    Face.REST: "REST API",
    Face.SYNC: "Sync",
}
_INVOKE: Final = "/invoke/"


@dataclass(frozen=True, slots=True)
class RefusalView:
    """`url` leads to what the request was about, where that has a page."""

    dom_id: str
    reason: str
    face: str
    request: str
    status: int
    status_text: str
    key_end: str
    count: int
    first_ms: int
    last_ms: int
    url: str


@dataclass(frozen=True, slots=True)
class RefusalPanel:
    items: Sequence[RefusalView]

    @property
    def count(self) -> int:
        return sum(item.count for item in self.items)

    @property
    def last_ms(self) -> int:
        return self.items[0].last_ms


def refusal_panel(environment_id: UUID) -> RefusalPanel:
    """The latest first. One query, where a known function's invocation was refused."""
    rows = refusals(environment_id)
    slugs = _known_slugs(environment_id, {slug for row in rows if (slug := _slug(row.refusal))})
    return RefusalPanel([_view(row, slugs) for row in rows])


def _known_slugs(environment_id: UUID, slugs: Collection[str]) -> set[str]:
    if not slugs:
        return set()
    return set(functions_qs(environment_id).filter(slug__in=slugs).values_list("slug", flat=True))


def _view(row: RefusalRow, known_slugs: Collection[str]) -> RefusalView:
    refused = row.refusal
    return RefusalView(
        dom_id=f"refusal-{sha256(repr(refused).encode()).hexdigest()[:16]}",
        reason=refused.reason,
        face=_FACES[Face(refused.face)],
        request=f"{refused.method} {refused.path}",
        status=refused.status,
        status_text=HTTPStatus(refused.status).phrase,
        key_end=row.key_end,
        count=row.count,
        first_ms=row.first_ms,
        last_ms=row.last_ms,
        url=_url(refused, known_slugs),
    )


def _url(refused: Refusal, known_slugs: Collection[str]) -> str:
    if refused.face == Face.SYNC:
        return reverse("dashboard:apps")
    slug = _slug(refused)
    return reverse("dashboard:function", args=[slug]) if slug in known_slugs else ""


def _slug(refused: Refusal) -> str:
    if refused.face != Face.INVOKE:
        return ""
    slug = refused.path.removeprefix(_INVOKE)
    return "" if slug == HIDDEN else slug
