"""The page of an organisation's single sign-on, for those who may manage it."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from apps.audit.http import actor_of
from apps.identity.models import User
from apps.signin.limits import over_limit
from apps.signin.models import SsoConnection, SsoDomain, SsoKind
from apps.signin.services import connections as services
from apps.signin.sso import rehearsal
from apps.signin.sso.forms import FORMS, GROUP_FORMS, DomainForm, GroupsForm, PolicyForm
from apps.signin.two_factor import ask_for_second_factor
from apps.signin.views.sso import NO_USE, leaving
from apps.tenancy import networks
from apps.tenancy.access import Access, access_for
from apps.tenancy.exceptions import AddressDenied, Forbidden, NotFound, TenancyError
from apps.tenancy.permissions import Permission

View = Callable[..., HttpResponse]


def _managing(view: View) -> View:
    """With the access of someone who may manage single sign-on; strangers find nothing."""

    @login_required
    @never_cache
    def checked(request: HttpRequest, org: str, **arguments: Any) -> HttpResponse:
        assert isinstance(request.user, User)  # noqa: S101 for the type checker: login_required
        try:
            access = access_for(request.user, org)
            access.require(Permission.SSO_MANAGE)
            if not networks.contains(access.account.allowed_networks, request.META.get("REMOTE_ADDR")):
                raise AddressDenied
        except NotFound:
            raise Http404 from None
        except (Forbidden, AddressDenied) as problem:
            return render(request, "signin/forbidden.html", {"reason": str(problem)}, status=403)
        except TenancyError as problem:
            messages.error(request, str(problem))
            return HttpResponseRedirect("/orgs")
        incomplete = ask_for_second_factor(request, request.user, access.account)
        return incomplete or view(request, access, **arguments)

    return checked


def _form(view: View) -> View:
    """A form's address is the browser's too, once it has been refused: whoever comes back to it gets to the
    page that has the form."""

    @require_http_methods(["GET", "HEAD", "POST"])
    def checked(request: HttpRequest, access: Access, **arguments: Any) -> HttpResponse:
        return view(request, access, **arguments) if request.method == "POST" else _back(access)

    return checked


@_managing
@require_safe
def page(request: HttpRequest, access: Access) -> HttpResponse:
    return _page(request, access)


@_managing
@_form
@sensitive_post_parameters("client_secret")
def create(request: HttpRequest, access: Access, kind: str) -> HttpResponse:
    if kind not in FORMS:
        raise Http404
    form = FORMS[kind](request.POST)
    if not form.is_valid():
        return _page(request, access, {f"{kind}_form": form}, status=422)
    services.connection_create(
        account=access.account,
        name=form.cleaned_data["name"],
        config=form.config(),
        actor=actor_of(request),
        created_by_id=request.user.pk,
    )
    messages.success(request, "Saved. Now add the domains of your people.")
    return _back(access)


@_managing
@_form
def policy(request: HttpRequest, access: Access, connection_id: str) -> HttpResponse:
    connection = _connection(access, connection_id)
    form = PolicyForm(request.POST)
    if form.is_valid():
        _attempt(
            request,
            lambda: services.connection_set_policy(
                connection=connection, actor=actor_of(request), **form.cleaned_data
            ),
            "Saved.",
        )
    return _back(access) if _is_still_there(request) else _sign_in_again(request)


@_managing
@_form
def groups(request: HttpRequest, access: Access, connection_id: str) -> HttpResponse:
    connection = _connection(access, connection_id)
    form = GROUP_FORMS[connection.kind](request.POST, auto_id=_ids_of(connection))
    if form.is_valid():
        actor = actor_of(request)
        _attempt(
            request,
            lambda: services.connection_map_groups(connection=connection, actor=actor, **form.cleaned_data),
            "Saved.",
        )
        return _back(access)
    return _page(request, access, wrong_groups={connection.id: form}, status=422)


@_managing
@_form
def rehearse(request: HttpRequest, access: Access, connection_id: str) -> HttpResponse:
    """Test the connection: to the identity provider and back, without anybody being signed in or out."""
    connection = _connection(access, connection_id)
    limited = over_limit(request, "sso_test", "20/m/user")
    if limited:
        return limited
    try:
        answer = rehearsal.begin(request, connection)
    except NO_USE as problem:
        return rehearsal.failure_page(request, connection.provider_id, problem) or _back(access)
    return leaving(request, connection, answer) if "Location" in answer else answer


@_managing
@_form
def delete(request: HttpRequest, access: Access, connection_id: str) -> HttpResponse:
    connection, actor = _connection(access, connection_id), actor_of(request)
    _attempt(
        request,
        lambda: services.connection_delete(connection=connection, actor=actor),
        "The connection is deleted.",
    )
    return _back(access)


@_managing
@_form
def domain_add(request: HttpRequest, access: Access, connection_id: str) -> HttpResponse:
    connection = _connection(access, connection_id)
    form = DomainForm(request.POST)
    name = form.cleaned_data["domain"] if form.is_valid() else ""
    _attempt(
        request,
        lambda: services.domain_add(connection=connection, domain=name, actor=actor_of(request)),
        "Now add the TXT record, then verify the domain.",
    )
    return _back(access)


@_managing
@_form
def domain_change(request: HttpRequest, access: Access, domain_id: str, action: str) -> HttpResponse:
    domain = _domain(access, domain_id)
    actor = actor_of(request)
    verified = "The domain is verified."
    if action == "verify":
        _attempt(request, lambda: services.domain_verify(domain=domain, actor=actor), verified)
    elif action == "approve" and getattr(request.user, "is_staff", False):
        _attempt(request, lambda: services.domain_approve(domain=domain, actor=actor), verified)
    elif action == "remove":
        _attempt(
            request, lambda: services.domain_remove(domain=domain, actor=actor), "The domain is removed."
        )
    else:
        raise Http404
    return _back(access) if _is_still_there(request) else _sign_in_again(request)


def _is_still_there(request: HttpRequest) -> bool:
    """Enforcement may have ended the very session that asked for it."""
    key = request.session.session_key
    return bool(key) and request.session.exists(key or "")


def _sign_in_again(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponseRedirect("/sign-in/sso?required=1")


def _attempt(request: HttpRequest, change: Callable[[], object], success: str) -> None:
    try:
        change()
    except services.SsoError as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, success)


def _connection(access: Access, connection_id: str) -> SsoConnection:
    found = SsoConnection.objects.filter(account=access.account, id=connection_id).first()
    if found is None:
        raise Http404
    return found


def _domain(access: Access, domain_id: str) -> SsoDomain:
    rows = SsoDomain.objects.select_related("connection")
    found = rows.filter(connection__account=access.account, id=domain_id).first()
    if found is None:
        raise Http404
    return found


def _back(access: Access) -> HttpResponse:
    return HttpResponseRedirect(reverse("signin_connections", args=[access.account.slug]))


def _page(
    request: HttpRequest,
    access: Access,
    forms: dict[str, Any] | None = None,
    status: int = 200,
    wrong_groups: Mapping[UUID, GroupsForm] | None = None,
) -> HttpResponse:
    rows = SsoConnection.objects.filter(account=access.account).prefetch_related("domains")
    context = {
        "account": access.account,
        "connections": [
            _shown(request, row, (wrong_groups or {}).get(row.id)) for row in rows.order_by("created_at")
        ],
        "domain_form": DomainForm(),
        "proof_prefix": services.PROOF_PREFIX,
        "oidc_form": FORMS[SsoKind.OIDC](),
        "saml_form": FORMS[SsoKind.SAML](),
    }
    return render(request, "signin/connections.html", context | (forms or {}), status=status)


def _shown(request: HttpRequest, connection: SsoConnection, wrong: GroupsForm | None) -> dict[str, Any]:
    """With the addresses that the identity provider has to know, and what was wrong with the groups."""
    policy_values = {name: getattr(connection, name) for name in PolicyForm.base_fields}
    groups_form = GROUP_FORMS[connection.kind]
    group_values = {name: getattr(connection, name) for name in groups_form.base_fields}
    return {
        "connection": connection,
        "domains": list(connection.domains.all()),
        "policy_form": PolicyForm(initial=policy_values, auto_id=_ids_of(connection)),
        "groups_form": wrong or groups_form(initial=group_values, auto_id=_ids_of(connection)),
        "addresses": [(label, request.build_absolute_uri(path)) for label, path in _paths(connection)],
    }


def _ids_of(connection: SsoConnection) -> str:
    """Of a form's fields; there may be several connections on the page."""
    return f"id_{connection.id.hex}_%s"


def _paths(connection: SsoConnection) -> list[tuple[str, str]]:
    if connection.kind == SsoKind.OIDC:
        return [("Redirect URL", reverse("openid_connect_callback", args=[connection.provider_id]))]
    return [
        ("ACS URL", reverse("saml_acs", args=[connection.provider_id])),
        ("Entity ID and metadata", reverse("saml_metadata", args=[connection.provider_id])),
    ]
