"""The pages for what cannot be answered: handlers of the project and of the pages of an environment."""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from apps.dashboard.fragments import render_page

_LIMIT_SECONDS: Final = 60  # of the limits of the library (ACCOUNT_RATE_LIMITS) that end at this page


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The project's handler404; API faces answer for their own prefixes before it comes to this.

    Outside of an environment there is no shell to show, and nothing of it that a stranger may see.
    """
    access = getattr(request, "access", None)
    if settings.STEPWELL_MODE != "dev" and (access is None or access.environment is None):
        return render(request, "signin/not_found.html", status=404)
    return render_page(request, "not_found.html", {}, status=404)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """When to try again is the time after which the limit is surely open again."""
    seconds = getattr(request, "limit_seconds", _LIMIT_SECONDS)
    wait = "in an hour" if seconds > _LIMIT_SECONDS else "in a minute"
    response = render(request, "429.html", {"wait": wait}, status=429)
    response["Retry-After"] = str(seconds)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Made without asking who it is: the database may be what is broken."""
    context = {"request_id": getattr(request, "request_id", "")}
    return HttpResponse(render_to_string("500.html", context), status=500)
