"""Personal tokens (spec 05, 1.11 and 5.6): a person lists, makes and revokes their own."""

from typing import cast
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.audit.http import actor_of
from apps.credentials.models import PersonalToken
from apps.credentials.selectors import token_by_id
from apps.credentials.services import token_create, token_revoke
from apps.identity.models import User
from apps.signin.limits import over_limit
from apps.signin.tokens import TokenForm, memberships_of, token_rows
from apps.signin.two_factor import ask_for_second_factor
from apps.tenancy import networks
from apps.tenancy.exceptions import AddressDenied, TenancyError

_LIST = "/profile/tokens"


@login_required
@never_cache
@require_safe
def tokens(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    context = {"rows": token_rows(user), "is_member": user.memberships.exists()}
    return render(request, "signin/tokens.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth ships no types
def create(request: HttpRequest) -> HttpResponse:
    """The answer to a form that is sent is the only page with the token itself."""
    user = cast("User", request.user)
    form = TokenForm(memberships_of(user), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        refused = over_limit(request, "token", "30/h/user")
        if refused := refused or ask_for_second_factor(request, user, form.account):
            return refused
        made = _make(request, form)
        if made is not None:
            token, plaintext = made
            return render(request, "signin/token_made.html", {"token": token, "plaintext": plaintext})
    return render(request, "signin/token_new.html", {"form": form}, status=422 if form.errors else 200)


def _make(request: HttpRequest, form: TokenForm) -> tuple[PersonalToken, str] | None:
    try:
        if not networks.contains(form.account.allowed_networks, request.META.get("REMOTE_ADDR")):
            raise AddressDenied
        return token_create(
            account=form.account,
            user=cast("User", request.user),
            name=form.cleaned_data["name"],
            permissions=form.chosen,
            expires_at=form.expires_at,
            actor=actor_of(request),
        )
    except TenancyError as problem:
        form.refuse(problem)
        return None


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Asks nobody who they are again: whoever has lost a token is in a hurry."""
    token = token_by_id(cast("User", request.user).id, token_id)
    if token is None:
        raise Http404
    if request.method == "GET":
        return render(request, "signin/token_revoke.html", {"token": token})
    token_revoke(token=token, actor=actor_of(request))
    messages.success(request, f"{token.name} is revoked.")
    return HttpResponseRedirect(_LIST)
