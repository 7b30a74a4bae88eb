"""The page for an address that names nothing."""

from django.http import HttpRequest, HttpResponse

from apps.dashboard.fragments import render_page


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The project's handler404; API faces answer for their own prefixes before it comes to this."""
    return render_page(request, "not_found.html", {}, status=404)
