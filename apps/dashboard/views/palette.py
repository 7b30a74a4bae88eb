"""The command palette: a page of its own, and what the shell's dialog asks for while one types."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from apps.dashboard.fragments import render_page
from apps.dashboard.pages.palette import search
from apps.dashboard.shell import shell_of

MAX_LENGTH: Final = 200


@require_GET
def palette(request: HttpRequest) -> HttpResponse:
    """For everybody who is here; what is found depends on what they may see."""
    query = request.GET.get("q", "")[:MAX_LENGTH]
    results = search(shell_of(request, ""), query)
    context = {"query": query, "results": results}
    fragments = {"palette-results": "palette/_results.html"}
    return render_page(request, "palette/page.html", context, fragments=fragments)
