"""From one run to the next of the list that the person came from."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from apps.dashboard.pages.filters import run_filters
from apps.dashboard.pages.run_list import run_beside
from apps.dashboard.permissions import requires
from apps.dashboard.presenters.runs import LIST, run_url
from apps.dashboard.views.runs import known_run
from apps.tenancy.permissions import Permission


@require_GET
@requires(Permission.VIEW)
def beside(request: HttpRequest, run_id: str) -> HttpResponse:
    """The run above (`to=newer`) or below in the list; at its end the same run, with a word about it."""
    row = known_run(request, run_id)
    filters = run_filters(QueryDict(request.GET.get(LIST, "")))
    is_newer = request.GET.get("to") == "newer"
    found = run_beside(row.environment_id, filters, row, is_newer=is_newer)
    if not found:
        messages.info(request, f"This is the {'first' if is_newer else 'last'} run of the list.")
    return HttpResponseRedirect(run_url(found or run_id, urlencode(filters.query(), doseq=True)))
