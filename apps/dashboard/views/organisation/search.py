"""The command palette of pages that are of no environment."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from apps.dashboard.views import palette as shared
from apps.dashboard.views.organisation.entering import organisation_page
from apps.tenancy.access import Access


@require_GET
@organisation_page()
def palette(request: HttpRequest, access: Access) -> HttpResponse:
    return shared.palette(request)
