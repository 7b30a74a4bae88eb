"""Members and invitations in the operator console, for reading: organisations manage them themselves."""

from typing import Final

from django.contrib import admin

from apps.identity.console.columns import badge, choice, flag, link, links_to, plain, when, when_exactly
from apps.identity.console.filters import by_choice, by_date, chosen
from apps.identity.console.pages import ReadOnlyAdmin
from apps.identity.models import User
from apps.tenancy.models import Account, Invitation, InvitationState, Membership

_TONES: Final = {InvitationState.PENDING: "wait", InvitationState.ACCEPTED: "ok"}


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin[Membership]):
    called = ("member", "members")
    about = "Who belongs to which organisation, as what. Members are managed on the organisation's own pages."
    list_display = (
        "person",
        link("account", "organisation"),
        choice("role", "role"),
        flag("is_restricted", "environments", yes="Some", no="All"),
        when("joined_at", "joined"),
        when("last_active_at", "last active"),
    )
    list_filter = (
        by_choice("role", "role"),
        chosen("organisation", Account, "account"),
        chosen("person", User, "user"),
    )
    list_select_related = ("account", "user")
    search_fields = ("user__email", "user__name", "account__name", "account__slug")
    search_help_text = "E-mail address, name, or organisation"
    ordering = ("account__name", "joined_at")
    details = (
        (
            "Member",
            (
                link("user", "person"),
                link("account", "organisation"),
                choice("role", "role"),
                "sees",
                when_exactly("joined_at", "joined"),
                when_exactly("last_active_at", "last active"),
            ),
        ),
    )

    def title_of(self, row: Membership) -> str:
        return f"{row.user} in {row.account}"

    @admin.display(description="person", ordering="user__email")
    def person(self, membership: Membership) -> str:
        return membership.user.email

    @admin.display(description="environments")
    def sees(self, membership: Membership) -> str:
        return links_to(membership.environments.all()) if membership.is_restricted else "All"


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin[Invitation]):
    called = ("invitation", "invitations")
    about = "Addresses that may join an organisation. Invitations are made and revoked by its members."
    list_display = (
        "email",
        link("account", "organisation"),
        choice("role", "role"),
        "standing",
        when("created_at", "made"),
        when("expires_at", "ends"),
    )
    list_filter = (
        by_choice("state", "state"),
        by_date("created_at", "made"),
        chosen("organisation", Account, "account"),
    )
    list_select_related = ("account",)
    search_fields = ("email", "account__name", "account__slug")
    search_help_text = "E-mail address or organisation"
    ordering = ("-created_at",)
    details = (
        (
            "Invitation",
            (
                plain("email", "e-mail address"),
                link("account", "organisation"),
                choice("role", "role"),
                "standing",
                link("invited_by", "invited by"),
                when_exactly("created_at", "made"),
                when_exactly("expires_at", "ends"),
            ),
        ),
    )

    def title_of(self, row: Invitation) -> str:
        return f"{row.email} to {row.account}"

    @admin.display(description="state", ordering="state")
    def standing(self, invitation: Invitation) -> str:
        if invitation.is_expired:
            return badge("Expired", "quiet")
        return badge(invitation.get_state_display(), _TONES.get(InvitationState(invitation.state), "quiet"))
