"""Signing in with the identity provider of one's organisation, found by the domain of the address."""

from typing import Any

from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from onelogin.saml2.errors import OneLogin_Saml2_Error

from apps.signin import places
from apps.signin.forms import DomainSignInForm
from apps.signin.limits import over_limit
from apps.signin.models import SsoConnection
from apps.signin.services import sso
from apps.signin.sso import apps

# A requests.RequestException is an OSError; the others are answers of providers that make no sense.
NO_USE = (OAuth2Error, OSError, ValueError, KeyError, OneLogin_Saml2_Error)


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return HttpResponseRedirect("/")
    if request.method == "GET":
        return _page(request, DomainSignInForm(initial={"email": request.GET.get("email", "")}))
    return over_limit(request, "sso", "20/m/ip") or _submitted(request)


def _submitted(request: HttpRequest) -> HttpResponse:
    form = DomainSignInForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    connection = sso.connection_for(form.cleaned_data["email"])
    if connection is None:
        form.add_error("email", "No organisation has set up single sign-on for this domain.")
        return _page(request, form, status=422)
    try:
        return _redirect(request, connection)
    except NO_USE:
        sso.note_failure(request, connection.provider_id)
        form.add_error("email", f"{connection.name} does not answer. Try again in a moment.")
        return _page(request, form, status=502)


def _redirect(request: HttpRequest, connection: SsoConnection) -> HttpResponse:
    target = request.POST.get("next", "")
    provider = apps.app_of(connection).get_provider(request)
    next_url = target if places.is_own_path(target) else places.home_of(connection.account)
    answer: HttpResponse = provider.redirect(request, AuthProcess.LOGIN, next_url=next_url)
    return leaving(request, connection, answer)


def leaving(request: HttpRequest, connection: SsoConnection, answer: HttpResponse) -> HttpResponse:
    """A page of ours in between: the policy of contents lets no form end up elsewhere, redirects included."""
    return render(request, "signin/leaving.html", {"name": connection.name, "url": answer["Location"]})


def _page(request: HttpRequest, form: DomainSignInForm, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "next": request.GET.get("next", request.POST.get("next", "")),
        "is_required": "required" in request.GET,
    }
    return render(request, "signin/sso.html", context, status=status)


def failed(request: HttpRequest) -> HttpResponse:
    """Where the library would ask for what the identity provider left out, we ask for nothing."""
    return render(request, "socialaccount/authentication_error.html", status=403)


def cancelled(request: HttpRequest) -> HttpResponse:
    return render(request, "socialaccount/login_cancelled.html")
