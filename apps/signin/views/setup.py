"""The first page of a fresh server."""

from allauth.account.internal.flows.login import record_authentication
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.identity.models import User
from apps.signin import places, recording
from apps.signin.forms import SetupForm
from apps.signin.limits import over_limit
from apps.signin.services.setup import SetupRefused, server_set_up
from apps.tenancy.exceptions import InvalidName


@never_cache
@sensitive_post_parameters("password", "token")
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Once there is a user, this is the sign-in page."""
    if User.objects.exists():
        return HttpResponseRedirect("/sign-in")
    if request.method == "GET":
        return _page(request, SetupForm(initial={"token": request.GET.get("token", "")}))
    return over_limit(request, "setup", "10/m/ip") or _submitted(request)


def _submitted(request: HttpRequest) -> HttpResponse:
    form = SetupForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        user, account = server_set_up(**form.cleaned_data, ip=request.META.get("REMOTE_ADDR") or None)
    except SetupRefused as problem:
        form.add_error("token", str(problem))
        return _page(request, form, status=422)
    except InvalidName as problem:
        form.add_error("organisation", str(problem))
        return _page(request, form, status=422)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    record_authentication(request, user, "password", email=user.email)
    recording.record_sign_in(user, request)
    UserSession.objects.create_from_request(request)
    return HttpResponseRedirect(places.home_of(account))


def _page(request: HttpRequest, form: SetupForm, status: int = 200) -> HttpResponse:
    token = form["token"]
    context = {
        "form": form,
        "has_token": bool(token.value()) and not token.errors,
        "is_mail_configured": settings.IS_MAIL_CONFIGURED,
    }
    return render(request, "signin/setup.html", context, status=status)
