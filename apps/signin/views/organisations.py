"""Organisations of a person: the list, a new one, invitations, and the way from one to another."""

from typing import cast

from allauth.account.models import EmailAddress
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.audit.http import actor_of
from apps.credentials.services.provisioning import organisation_provision
from apps.identity.models import User
from apps.signin import invitations, places
from apps.signin.forms import OrganisationForm
from apps.signin.limits import over_limit
from apps.tenancy.access import access_for
from apps.tenancy.exceptions import InvalidName, InvitationNotFound, NotFound, TenancyError
from apps.tenancy.models import Account, Invitation, InvitationState
from apps.tenancy.services.addresses import owns_address
from apps.tenancy.services.invitations import invitation_accept, invitation_of


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def organisations(request: HttpRequest) -> HttpResponse:
    form = OrganisationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if refused := over_limit(request, "organisation", "10/h/user"):
            return refused
        account = _create(request, form)
        if account is not None:
            return _enter(request, account)
    user = cast("User", request.user)
    context = {
        "form": form,
        "memberships": user.memberships.select_related("account").order_by("account__name"),
        "invitations": _open_invitations(user),
        "invited_to": invitations.remembered(request),
        "invitation_token": request.session.get("invitation", ""),
    }
    return render(request, "signin/organisations.html", context, status=422 if form.errors else 200)


def _create(request: HttpRequest, form: OrganisationForm) -> Account | None:
    try:
        return organisation_provision(
            name=form.cleaned_data["name"], owner=cast("User", request.user), actor=actor_of(request)
        )
    except InvalidName as problem:
        form.add_error("name", str(problem))
        return None


def _open_invitations(user: User) -> list[Invitation]:
    """Those of the user's verified addresses; accepting one takes the link that was sent."""
    verified = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    rows = Invitation.objects.select_related("account", "invited_by").filter(
        email__in=[address.lower() for address in verified],
        state=InvitationState.PENDING,
        expires_at__gt=timezone.now(),
    )
    return list(rows.order_by("-created_at"))


@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Anyone with the link sees who invites whom; accepting it takes the user of that address."""
    try:
        found = invitation_of(token)
    except InvitationNotFound as problem:
        return _invitation_page(request, None, str(problem), status=404)
    if invitations.is_open(found):
        invitations.remember(request, token)
    if request.method == "GET" or not request.user.is_authenticated:
        return _invitation_page(request, found)
    try:
        membership = invitation_accept(token=token, user=request.user, actor=actor_of(request))
    except TenancyError as problem:
        return _invitation_page(request, found, str(problem), status=problem.status)
    invitations.forget(request)
    return _enter(request, membership.account)


def _invitation_page(
    request: HttpRequest, found: Invitation | None, problem: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "invitation": found,
        "is_open": found is not None and invitations.is_open(found),
        "has_user": found is not None and User.objects.filter(email=found.email).exists(),
        "is_for_another": found is not None and _is_for_another(request, found),
        "problem": problem,
    }
    return render(request, "signin/invitation.html", context, status=status)


def _is_for_another(request: HttpRequest, found: Invitation) -> bool:
    """Who could not accept it is told before they try."""
    return isinstance(request.user, User) and not owns_address(request.user, found.email)


@login_required
@never_cache
@require_safe
def switch(request: HttpRequest) -> HttpResponse:
    """To an organisation of one's own, and there to `next`, if that is a path of this server."""
    try:
        access = access_for(cast("User", request.user), request.GET.get("org", ""))
    except NotFound:
        raise Http404 from None
    target = request.GET.get("next", "")
    if not places.is_own_path(target):
        return _enter(request, access.account)
    places.remember(request, access.account)
    return HttpResponseRedirect(target)


def _enter(request: HttpRequest, account: Account) -> HttpResponse:
    places.remember(request, account)
    return HttpResponseRedirect(places.home_of(account))
