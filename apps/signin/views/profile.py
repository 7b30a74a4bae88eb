"""A person's own settings; those of passwords, addresses and second factors are the library's views."""

from typing import cast

from allauth.account import views as library
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from apps.credentials.selectors import tokens_qs
from apps.identity.models import User
from apps.signin import recording
from apps.signin.forms import ProfileForm, ThemeForm
from apps.signin.services import sso


@login_required
@never_cache
def profile(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        if form.has_changed():
            recording.record(user, request, "user.rename", name=user.name)
        messages.success(request, "Your name is saved.")
        return HttpResponseRedirect("/profile")
    factors = Authenticator.objects.filter(user=user)
    context = {
        "section": "profile",
        "form": form,
        "theme_form": ThemeForm(instance=user),
        "sessions": len(UserSession.objects.purge_and_list(user)),
        "tokens": tokens_qs(user.id).count(),
        "has_totp": factors.filter(type=Authenticator.Type.TOTP).exists(),
        "passkeys": factors.filter(type=Authenticator.Type.WEBAUTHN).count(),
        "is_email_verified": EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists(),
    }
    return render(request, "signin/profile.html", context, status=422 if form.errors else 200)


@login_required
def email(request: HttpRequest) -> HttpResponse:
    """A new address is verified by a code, so a server that sends no mail cannot change it. Nor can who has
    to use single sign-on: with another address they would escape it."""
    is_managed = sso.must_use_sso(cast("User", request.user))
    if is_managed or not settings.IS_MAIL_CONFIGURED:
        return render(request, "signin/email_fixed.html", {"section": "email", "is_managed": is_managed})
    return cast("HttpResponse", library.email(request))


def reset(request: HttpRequest) -> HttpResponse:
    if not settings.IS_MAIL_CONFIGURED:
        return render(request, "signin/reset_unavailable.html")
    return cast("HttpResponse", library.password_reset(request))


@login_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    form = ThemeForm(request.POST, instance=cast("User", request.user))
    if form.is_valid():
        form.save()
    return HttpResponseRedirect("/profile")


@login_required
@require_POST
def session_end(request: HttpRequest, session_id: int) -> HttpResponse:
    """Its next request finds nobody signed in. Ending the present one is signing out."""
    user = cast("User", request.user)
    session = UserSession.objects.filter(user=user, id=session_id).first()
    if session is None or session.is_current():
        raise Http404
    session.end()
    recording.record(user, request, "user.session_end")
    messages.success(request, "That session has ended.")
    return HttpResponseRedirect("/profile/sessions")
