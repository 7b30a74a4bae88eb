"""Paths below the API's prefixes that nothing serves (spec 03, 1.5)."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from apps.api.rest.errors import not_found


@csrf_exempt
def unknown_path(request: HttpRequest) -> HttpResponse:
    return not_found()
