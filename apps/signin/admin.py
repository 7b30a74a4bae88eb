"""How people sign in, in the operator console, for reading: no session key, secret or configuration shows."""

from typing import Final

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest

from apps.identity.console.columns import (
    badge,
    choice,
    code,
    flag,
    link,
    plain,
    tags,
    when,
    when_exactly,
)
from apps.identity.console.filters import by_choice, by_date, by_flag, chosen
from apps.identity.console.pages import ReadOnlyAdmin
from apps.identity.models import User
from apps.signin.models import SsoConnection, SsoDomain
from apps.tenancy.models import Account

_PERSON: Final = chosen("person", User, "user")


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin[EmailAddress]):
    called = ("e-mail address", "e-mail addresses")
    is_listed = False
    about = "Which addresses people have, and whether they have proven them."
    list_display = (
        "email",
        link("user", "person"),
        flag("verified", "verified"),
        flag("primary", "signs in with it"),
    )
    list_filter = (by_flag("verified", "verified", "Verified", "Not verified"), _PERSON)
    list_select_related = ("user",)
    search_fields = ("email", "user__email", "user__name")
    search_help_text = "E-mail address or name"
    ordering = ("email",)
    details = (
        (
            "E-mail address",
            (
                plain("email", "address"),
                link("user", "person"),
                flag("verified", "verified"),
                flag("primary", "signs in with it"),
            ),
        ),
    )


@admin.register(UserSession)
class UserSessionAdmin(ReadOnlyAdmin[UserSession]):
    called = ("session", "sessions")
    about = "Browsers in which people are signed in. People end their own on their profile."
    list_display = (
        "browser",
        link("user", "person"),
        code("ip", "address"),
        when("created_at", "signed in"),
        when("last_seen_at", "last used"),
    )
    list_filter = (by_date("last_seen_at", "last used"), _PERSON)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name", "ip")
    search_help_text = "E-mail address, name, or network address"
    ordering = ("-last_seen_at",)
    details = (
        (
            "Session",
            (
                link("user", "person"),
                code("ip", "address"),
                code("user_agent", "browser"),
                when_exactly("created_at", "signed in"),
                when_exactly("last_seen_at", "last used"),
            ),
        ),
    )

    def title_of(self, row: UserSession) -> str:
        return f"Session of {row.user}"

    @admin.display(description="browser", ordering="user_agent")
    def browser(self, session: UserSession) -> str:
        return str(session.user_agent)[:60] or "Unknown"


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin[Authenticator]):
    called = ("second factor", "second factors")
    about = "Authenticator apps, passkeys and recovery codes, without what is secret of them."
    list_display = (
        choice("type", "kind"),
        link("user", "person"),
        when("created_at", "set up"),
        when("last_used_at", "last used"),
    )
    list_filter = (by_choice("type", "kind"), by_date("created_at", "made"), _PERSON)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name")
    search_help_text = "E-mail address or name"
    ordering = ("-created_at",)
    details = (
        (
            "Second factor",
            (
                choice("type", "kind"),
                link("user", "person"),
                when_exactly("created_at", "set up"),
                when_exactly("last_used_at", "last used"),
            ),
        ),
    )

    def title_of(self, row: Authenticator) -> str:
        return f"{row.get_type_display()} of {row.user}"


@admin.register(SsoConnection)
class SsoConnectionAdmin(ReadOnlyAdmin[SsoConnection]):
    called = ("SSO connection", "SSO connections")
    about = "Identity providers of organisations, and the domains that they have proven to own."
    list_display = (
        "name",
        link("account", "organisation", "account__name"),
        choice("kind", "protocol"),
        "standing",
        "speaks_for",
        when("created_at", "made"),
    )
    list_filter = (
        by_choice("kind", "protocol"),
        by_flag("is_enabled", "state", "On", "Off"),
        by_date("created_at", "made"),
        chosen("organisation", Account, "account"),
    )
    list_select_related = ("account",)
    search_fields = ("name", "domains__domain", "account__name", "account__slug")
    search_help_text = "Name, domain, id, or organisation"
    ordering = ("-created_at",)
    details = (
        (
            "Single sign-on",
            (
                plain("name", "name"),
                link("account", "organisation"),
                choice("kind", "protocol"),
                "standing",
                code("id", "id"),
            ),
        ),
        (
            "Who signs in",
            (
                "speaks_for",
                "claims",
                flag("is_joining", "becomes a member"),
                choice("default_role", "role"),
                plain("group_attribute", "groups are in"),
            ),
        ),
        ("Made", (link("created_by", "by"), when_exactly("created_at", "at"))),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[SsoConnection]:
        domains = Prefetch("domains", SsoDomain.objects.order_by("domain"))
        return super().get_queryset(request).prefetch_related(domains)

    def title_of(self, row: SsoConnection) -> str:
        return row.name

    @admin.display(description="state")
    def standing(self, connection: SsoConnection) -> str:
        if not connection.is_enabled:
            return badge("Off", "quiet")
        return badge("Enforced", "ok") if connection.is_enforced else badge("On", "ok")

    @admin.display(description="proven domains")
    def speaks_for(self, connection: SsoConnection) -> str:
        return tags([domain.domain for domain in connection.domains.all() if domain.verified_at])

    @admin.display(description="claimed domains")
    def claims(self, connection: SsoConnection) -> str:
        return tags([domain.domain for domain in connection.domains.all() if not domain.verified_at])
