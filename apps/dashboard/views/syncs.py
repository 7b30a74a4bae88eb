"""What registered the functions of an app, and what failed before it was known whose it was."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.dashboard.environment import environment_id
from apps.dashboard.fragments import render_page
from apps.dashboard.pages.syncs import syncs_of
from apps.dashboard.permissions import requires
from apps.registry import selectors
from apps.tenancy.permissions import Permission


@require_GET
@requires(Permission.VIEW)
def app_syncs(request: HttpRequest, app_id: UUID) -> HttpResponse:
    """Of an archived app too."""
    app = selectors.app_by_id(environment_id(request), app_id)
    if app is None:
        raise Http404("no such app")
    url = reverse("dashboard:app-syncs", args=[app.id])
    page = syncs_of(selectors.syncs_qs(app.environment_id, app.id), request.GET, url)
    return render_page(request, "apps/syncs.html", {"app": app, "page": page}, section="apps")


@require_GET
@requires(Permission.VIEW)
def unattached_syncs(request: HttpRequest) -> HttpResponse:
    rows = selectors.unattached_syncs_qs(environment_id(request))
    page = syncs_of(rows, request.GET, reverse("dashboard:unattached-syncs"))
    return render_page(request, "apps/syncs.html", {"app": None, "page": page}, section="apps")
