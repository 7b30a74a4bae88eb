"""Who belongs to an organisation, as what, and who is invited (spec 05, 1.2 and 1.3)."""

import logging
from collections.abc import Collection
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.audit.http import actor_of
from apps.dashboard.forms import Field, Form, attempt, change, render_form
from apps.dashboard.fragments import redirect, render_dialog, render_page
from apps.dashboard.pages.members import members_page
from apps.dashboard.places import organisation_url
from apps.dashboard.selectors.environments import own_environments
from apps.dashboard.tenant import root_url
from apps.dashboard.views.organisation.entering import organisation_page
from apps.identity.models import User
from apps.signin.mails import invitation_url, send_invitation
from apps.tenancy.access import Access
from apps.tenancy.exceptions import TenancyError
from apps.tenancy.models import Membership, Role
from apps.tenancy.permissions import Permission
from apps.tenancy.services import invitations, memberships
from apps.tenancy.services.invitations import Invited

logger = logging.getLogger(__name__)

SECTION = "org-members"
_RESTRICTION = "None chosen: all of them. Not for owners."


@require_GET
@organisation_page()
def members(request: HttpRequest, access: Access) -> HttpResponse:
    context = {"page": members_page(access)}
    return render_page(request, "organisation/members.html", context, section=SECTION)


@require_http_methods(["GET", "POST"])
@organisation_page(Permission.MEMBER_MANAGE)
def invite(request: HttpRequest, access: Access) -> HttpResponse:
    email, role = request.POST.get("email", ""), _role(request, Role.DEVELOPER)
    chosen = request.POST.getlist("environments")
    form = Form(
        title="Invite a person",
        action=request.path,
        back_url=_list(access),
        submit="Invite",
        icon="user-plus",
        fields=[Field("email", "E-mail address", email, "email"), *_fields(access, role, chosen)],
    )
    if request.method == "GET":
        return render_form(request, form, SECTION)
    try:
        invited = invitations.invitation_create(
            access=access, email=email, role=role, environment_ids=_ids(chosen), actor=actor_of(request)
        )
    except TenancyError as refused:
        return render_form(request, form, SECTION, refused)
    return _show_link(request, access, invited)


@require_POST
@organisation_page(Permission.MEMBER_MANAGE)
def resend(request: HttpRequest, access: Access, invitation_id: UUID) -> HttpResponse:
    try:
        invited = invitations.invitation_resend(
            access=access, invitation_id=invitation_id, actor=actor_of(request)
        )
    except TenancyError as refused:
        messages.error(request, str(refused))
        return redirect(request, _list(access))
    return _show_link(request, access, invited)


def _show_link(request: HttpRequest, access: Access, invited: Invited) -> HttpResponse:
    """Once: of the token only the hash is kept."""
    context = {
        "dialog_title": "The invitation is made",
        "email": invited.invitation.email,
        "expires_at": invited.invitation.expires_at,
        "link": invitation_url(invited.token),
        "is_mailed": _is_mailed(invited),
        "back_url": _list(access),
    }
    return render_dialog(request, "organisation/invited.html", context, section=SECTION)


def _is_mailed(invited: Invited) -> bool:
    """The link is on the page, so that a mail server that refuses is no reason to give up."""
    try:
        return send_invitation(invited)
    except OSError as problem:
        logger.warning("the mail of an invitation could not be sent: %s", problem)
        return False


@require_POST
@organisation_page(Permission.MEMBER_MANAGE)
def revoke(request: HttpRequest, access: Access, invitation_id: UUID) -> HttpResponse:
    return attempt(
        request,
        _list(access),
        lambda: invitations.invitation_revoke(
            access=access, invitation_id=invitation_id, actor=actor_of(request)
        ),
        "The invitation is revoked.",
    )


@require_http_methods(["GET", "POST"])
@organisation_page(Permission.MEMBER_MANAGE)
def edit(request: HttpRequest, access: Access, membership_id: UUID) -> HttpResponse:
    member = _member(access, membership_id)
    is_sent = request.method == "POST"
    role = _role(request, Role(member.role))
    seen = [str(row.id) for row in member.environments.all()]
    chosen = request.POST.getlist("environments") if is_sent else seen
    form = Form(
        title=f"Role of {member.user.display_name}",
        action=request.path,
        back_url=_list(access),
        submit="Save",
        fields=_fields(access, role, chosen),
    )

    def save() -> None:
        memberships.membership_edit(
            access=access,
            membership_id=member.id,
            role=role,
            environment_ids=_ids(chosen),
            actor=actor_of(request),
        )

    return change(request, form, SECTION, save, f"{member.user.display_name} is {role.label.lower()} now.")


@require_http_methods(["GET", "POST"])
@organisation_page(Permission.MEMBER_MANAGE)
def remove(request: HttpRequest, access: Access, membership_id: UUID) -> HttpResponse:
    member = _member(access, membership_id)
    form = Form(
        title=f"Remove {member.user.display_name}?",
        action=request.path,
        back_url=_list(access),
        submit="Remove",
        icon="trash-2",
        text="They see nothing of the organisation any more, and their tokens stop working. What they made "
        "stays.",
        is_danger=True,
    )
    return change(
        request,
        form,
        SECTION,
        lambda: memberships.membership_remove(
            access=access, membership_id=member.id, actor=actor_of(request)
        ),
        f"{member.user.display_name} is no member any more.",
    )


@require_http_methods(["GET", "POST"])
@organisation_page(Permission.ACCOUNT_DELETE)
def transfer(request: HttpRequest, access: Access, membership_id: UUID) -> HttpResponse:
    member = _member(access, membership_id)
    form = Form(
        title=f"Make {member.user.display_name} the owner?",
        action=request.path,
        back_url=_list(access),
        submit="Transfer ownership",
        text="You become an admin, and cannot take this back by yourself.",
        is_danger=True,
    )
    return change(
        request,
        form,
        SECTION,
        lambda: memberships.ownership_transfer(
            access=access, membership_id=member.id, actor=actor_of(request)
        ),
        f"{member.user.display_name} is the owner now.",
    )


@require_http_methods(["GET", "POST"])
@organisation_page()
def leave(request: HttpRequest, access: Access) -> HttpResponse:
    form = Form(
        title=f"Leave {access.account.name}?",
        action=request.path,
        back_url=_list(access),
        submit="Leave",
        icon="log-out",
        text="You see nothing of it any more, until somebody invites you again.",
        is_danger=True,
    )
    if request.method == "GET":
        return render_form(request, form, SECTION)
    user = request.user
    assert isinstance(user, User)  # noqa: S101 for the type checker: the middleware has asked
    try:
        memberships.membership_leave(account=access.account, user=user, actor=actor_of(request))
    except TenancyError as refused:
        return render_form(request, form, SECTION, refused)
    request.session.pop("last_place", None)
    messages.success(request, f"You have left {access.account.name}.")
    return redirect(request, root_url("signin_organisations"))


def _fields(access: Access, role: Role, chosen: Collection[str]) -> list[Field]:
    roles = [(str(known), known.label) for known in Role if known != Role.OWNER or access.is_owner]
    environments = [(str(row.id), row.name) for row in own_environments(access)]
    return [
        Field("role", "Role", str(role), "select", choices=roles, hint="What each may do is on this page."),
        Field("environments", "Only these environments", chosen, "checks", _RESTRICTION, environments),
    ]


def _role(request: HttpRequest, otherwise: Role) -> Role:
    text = request.POST.get("role", "")
    return Role(text) if text in Role.values else otherwise


def _ids(texts: Collection[str]) -> list[UUID]:
    """Raises Http404 for what no form of ours holds."""
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise Http404("no such environment") from None


def _list(access: Access) -> str:
    return organisation_url(access.account, "members")


def _member(access: Access, membership_id: UUID) -> Membership:
    rows = access.account.memberships.select_related("user").prefetch_related("environments")
    member = rows.filter(id=membership_id).first()
    if member is None:
        raise Http404("no such member")
    return member
