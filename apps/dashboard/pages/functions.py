"""Functions: the list and the page of one."""

from uuid import UUID

from django.db.models import F
from django.http import Http404

from apps.dashboard.presenters.functions import FunctionView, function_view
from apps.registry import selectors
from apps.registry.models import Function


def function_list(environment_id: UUID) -> list[FunctionView]:
    """The live functions, by app and name. One query; it loads configurations, which the list shows."""
    views = [function_view(row) for row in selectors.configured_functions(environment_id)]
    return sorted(views, key=lambda view: (view.app_name.lower(), view.name.lower(), view.slug))


def live_function(environment_id: UUID, slug: str) -> Function:
    """Raises Http404."""
    function = selectors.function_by_slug(environment_id, slug)
    if function is None:
        raise Http404("no such function")
    return function


def known_function(environment_id: UUID, slug: str) -> Function:
    """The live function, else one that was archived. Raises Http404."""
    rows = Function.objects.filter(environment_id=environment_id, slug=slug)
    function = rows.order_by(F("archived_at").desc(nulls_first=True), "id").first()
    if function is None:
        raise Http404("no such function")
    return function
