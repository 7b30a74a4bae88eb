"""The first steps of a newcomer, who gets from here to a finished run (spec 05, 6.1)."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from apps.dashboard.fragments import render_page
from apps.dashboard.pages.first_steps import first_steps
from apps.dashboard.permissions import requires
from apps.dashboard.server_only import server_only
from apps.dashboard.snippets import origin
from apps.dashboard.tenant import access_of, environment_of
from apps.tenancy.permissions import Permission


@require_GET
@server_only
@requires(Permission.VIEW)
def start(request: HttpRequest) -> HttpResponse:
    steps = first_steps(access_of(request), environment_of(request), origin(request))
    fragments = {"first-steps-progress": "onboarding/_progress.html"}
    return render_page(
        request, "onboarding/start.html", {"steps": steps}, section="start", fragments=fragments
    )
