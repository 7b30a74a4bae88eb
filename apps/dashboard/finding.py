"""Where a thing is that an address names without its organisation (spec 05, 5.1): only among what the person
may see, so that the answer about another's thing is the answer about one that nobody has."""

from collections.abc import Iterator
from uuid import UUID

from django.http import Http404, HttpRequest

from apps.dashboard.selectors.environments import visible_qs
from apps.dashboard.tenant import LAST_PLACE, access_to
from apps.events.models import Event
from apps.identity.models import User
from apps.runs.models import Run
from apps.tenancy.access import Access
from apps.tenancy.models import Environment
from apps.tenancy.permissions import Permission


def environment_of_run(request: HttpRequest, user: User, run_id: str) -> Environment:
    """Raises Http404."""
    seen = {row.id: row for row in _visible(request, user)}
    places = Run.objects.filter(run_id=run_id, environment_id__in=seen).values_list(
        "environment_id", flat=True
    )
    return _first(seen, set(places))


def environment_of_event(request: HttpRequest, user: User, internal_id: str) -> Environment:
    """Raises Http404."""
    seen = {row.id: row for row in _visible(request, user)}
    rows = Event.objects.filter(internal_id=internal_id, environment_id__in=seen)
    return _first(seen, set(rows.values_list("environment_id", flat=True)))


def environment_named(request: HttpRequest, user: User, slug: str) -> Environment:
    """Of the organisation used last, else of the one joined first that has it. Raises Http404."""
    for organisation in _organisations(request, user):
        try:
            found = access_to(request, user, organisation, slug).environment
        except Http404:
            continue
        if found is not None:
            return found
    raise Http404("no such environment")


def _first(seen: dict[UUID, Environment], places: set[UUID]) -> Environment:
    for environment_id, environment in seen.items():
        if environment_id in places:
            return environment
    raise Http404("nowhere that the person sees")


def _visible(request: HttpRequest, user: User) -> Iterator[Environment]:
    """The environments of all organisations of the person in which they may look."""
    for organisation in _organisations(request, user):
        access = _access_or_none(request, user, organisation)
        if access is not None and access.has(Permission.VIEW):
            yield from visible_qs(access).select_related("account").order_by("name_norm", "id")


def _access_or_none(request: HttpRequest, user: User, organisation: str) -> Access | None:
    try:
        return access_to(request, user, organisation, None)
    except Http404:
        return None


def _organisations(request: HttpRequest, user: User) -> list[str]:
    """Their slugs, each once, the one used last first: it may be one that an operator looks into."""
    last = str(request.session.get(LAST_PLACE) or "").split("/")[0]
    joined = user.memberships.order_by("joined_at").values_list("account__slug", flat=True)
    return list(dict.fromkeys([*([last] if last else []), *joined]))
