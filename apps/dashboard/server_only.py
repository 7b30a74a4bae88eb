"""Pages that a development server does not have: it has one environment, one person, and no keys."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def server_only(view: View[P]) -> View[P]:
    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if settings.STEPWELL_MODE == "dev":
            raise Http404("there are no organisations here")
        return view(request, *args, **kwargs)

    return cast("View[P]", checked)
