"""The page for an address that names nothing."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.dashboard.fragments import render_page


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The project's handler404; API faces answer for their own prefixes before it comes to this.

    Outside of an environment there is no shell to show, and nothing of it that a stranger may see.
    """
    access = getattr(request, "access", None)
    if settings.STEPWELL_MODE != "dev" and (access is None or access.environment is None):
        return render(request, "signin/not_found.html", status=404)
    return render_page(request, "not_found.html", {}, status=404)
