"""The one way in which pages answer: whole, or only the fragment that htmx asked for.

A fragment is an element with an id, kept in its own template that the page includes; htmx names it in
`HX-Target`. The same URL without htmx always gives the whole page.
"""

from collections.abc import Mapping
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from apps.dashboard.gates import Gates
from apps.dashboard.shell import shell_of
from apps.engine.clock import now_ms

DIALOG_TARGET: Final = "dialog-body"


def is_fragment(request: HttpRequest, target: str = "") -> bool:
    """Whether htmx wants a fragment (the one called `target`, if given) and not a page for its history."""
    headers = request.headers
    if headers.get("HX-Request") != "true" or headers.get("HX-History-Restore-Request") == "true":
        return False
    return not target or headers.get("HX-Target") == target


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, object],
    *,
    section: str = "",
    fragments: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """`fragments` maps ids of elements to the templates that render only them."""
    fragment = _requested(request, fragments or {})
    common = {
        "now_ms": now_ms(),
        "section": section,
        "is_fragment": fragment is not None,
        "can": Gates(request),
    }
    shell = {} if fragment else {"shell": shell_of(request, section)}
    response = render(request, fragment or template, {**common, **shell, **context}, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    response["Cache-Control"] = "no-store"
    return response


def _requested(request: HttpRequest, fragments: Mapping[str, str]) -> str | None:
    return next((name for target, name in fragments.items() if is_fragment(request, target)), None)


def render_dialog(
    request: HttpRequest, template: str, context: Mapping[str, object], *, section: str, status: int = 200
) -> HttpResponse:
    """A form or confirmation: in the shell's dialog for htmx, else a page of its own."""
    return render_page(
        request,
        "dialog_page.html",
        {**context, "dialog_template": template},
        section=section,
        fragments={DIALOG_TARGET: template},
        status=status,
    )


def redirect(request: HttpRequest, url: str) -> HttpResponse:
    """Go on to `url` after a form: htmx is told to load it as a page."""
    if is_fragment(request):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = url
        return response
    return HttpResponseRedirect(url)
