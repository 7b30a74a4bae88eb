"""Answers where there is no interface (`--no-ui`)."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

_TEXT = "404 page not found\n"


@csrf_exempt
def no_interface(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_TEXT, status=404, content_type="text/plain; charset=utf-8")


def no_page(request: HttpRequest, exception: Exception) -> HttpResponse:
    return no_interface(request)
