"""Credentials in the operator console: who has which, and never a secret or a hash of one."""

from typing import Any, Final

from django.contrib import admin

from apps.credentials.models import ApiKey, EventKey, PersonalToken, SigningKey, SigningKeyState
from apps.identity.console.columns import (
    choice,
    code,
    ended,
    flag,
    link,
    plain,
    state,
    when,
    when_exactly,
    words,
)
from apps.identity.console.filters import by_choice, by_date, by_end, chosen
from apps.identity.console.pages import ReadOnlyAdmin
from apps.identity.models import User
from apps.tenancy.models import Account, Environment

_TONES: Final = {SigningKeyState.ACTIVE: "ok", SigningKeyState.PENDING: "wait"}
_OF_TENANT: Final = (
    chosen("organisation", Account, "account"),
    chosen("environment", Environment, "environment"),
)
_TENANT: Final = (link("account", "organisation", "account__name"), link("environment", "environment"))
_REVOKED: Final = ended("revoked_at", "state", live="In use", over="Revoked")
_BY_REVOKED: Final = by_end("revoked_at", "state", "In use", "Revoked")
_CREATED: Final = by_date("created_at", "made")
_MADE: Final[tuple[Any, ...]] = (link("created_by", "made by"), when_exactly("created_at", "made"))


@admin.register(EventKey)
class EventKeyAdmin(ReadOnlyAdmin[EventKey]):
    called = ("event key", "event keys")
    about = "What senders deliver events with; webhooks are among them. Secrets are not shown."
    list_display = (
        "name",
        code("prefix", "begins with"),
        *_TENANT,
        choice("source", "kind"),
        _REVOKED,
        when("last_used_at", "last used"),
        when("created_at", "made"),
    )
    list_filter = (
        by_choice("source", "kind"),
        _BY_REVOKED,
        _CREATED,
        *_OF_TENANT,
    )
    list_select_related = ("account", "environment")
    search_fields = ("name", "prefix", "account__name", "account__slug")
    search_help_text = "Name, beginning, id, or organisation"
    ordering = ("-created_at",)
    details = (
        ("Event key", (plain("name", "name"), code("prefix", "begins with"), choice("source", "kind"))),
        ("Belongs to", (*_TENANT, *_MADE, code("id", "id"))),
        (
            "Accepts",
            (
                choice("filter_mode", "lists"),
                words("filter_events", "events"),
                words("filter_ips", "addresses"),
                flag("is_default", "made with the environment"),
            ),
        ),
        ("Use", (_REVOKED, when_exactly("last_used_at", "last used"), when_exactly("revoked_at", "revoked"))),
    )


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin[SigningKey]):
    called = ("signing key", "signing keys")
    about = "What apps are authenticated and requests to them signed with. Secrets are not shown."
    list_display = (
        code("prefix", "begins with"),
        *_TENANT,
        state("state", "state", _TONES),
        when("last_seen_at", "last seen"),
        when("created_at", "made"),
        when("retired_until", "accepted until"),
    )
    list_filter = (by_choice("state", "state"), _CREATED, *_OF_TENANT)
    list_select_related = ("account", "environment")
    search_fields = ("prefix", "account__name", "account__slug")
    search_help_text = "Beginning, id, or organisation"
    ordering = ("-created_at",)
    details = (
        ("Signing key", (code("prefix", "begins with"), state("state", "state", _TONES), code("id", "id"))),
        ("Belongs to", (*_TENANT, *_MADE)),
        (
            "Use",
            (
                when_exactly("activated_at", "signs since"),
                when_exactly("last_seen_at", "last seen"),
                when_exactly("retired_at", "retired"),
                when_exactly("retired_until", "accepted until"),
            ),
        ),
    )


_OF_KEY: Final = (
    plain("name", "name"),
    code("preview", "looks like"),
    words("permissions", "may"),
    _REVOKED,
    code("id", "id"),
)
_USE: Final = (
    when_exactly("last_used_at", "last used"),
    when_exactly("expires_at", "ends"),
    when_exactly("revoked_at", "revoked"),
)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin[ApiKey]):
    called = ("API key", "API keys")
    about = "What integrations use REST and GraphQL with, as far as their permissions go."
    list_display = (
        "name",
        code("preview", "looks like"),
        *_TENANT,
        _REVOKED,
        when("last_used_at", "last used"),
        when("expires_at", "ends"),
        when("created_at", "made"),
    )
    list_filter = (_BY_REVOKED, _CREATED, *_OF_TENANT)
    list_select_related = ("account", "environment")
    search_fields = ("name", "preview", "account__name", "account__slug")
    search_help_text = "Name, id, or organisation"
    ordering = ("-created_at",)
    details = (
        ("API key", _OF_KEY),
        ("Belongs to", (*_TENANT, *_MADE)),
        ("Use", (*_USE, code("last_used_ip", "last used from"))),
    )


@admin.register(PersonalToken)
class PersonalTokenAdmin(ReadOnlyAdmin[PersonalToken]):
    called = ("personal token", "personal tokens")
    about = "What people's own tools sign in with, bounded by the person's role."
    list_display = (
        "name",
        code("preview", "looks like"),
        link("user", "person"),
        link("account", "organisation", "account__name"),
        _REVOKED,
        when("last_used_at", "last used"),
        when("expires_at", "ends"),
    )
    list_filter = (
        _BY_REVOKED,
        _CREATED,
        chosen("organisation", Account, "account"),
        chosen("person", User, "user"),
    )
    list_select_related = ("user", "account")
    search_fields = ("name", "user__email", "account__name", "account__slug")
    search_help_text = "Name, id, e-mail address, or organisation"
    ordering = ("-created_at",)
    details = (
        ("Personal token", _OF_KEY),
        (
            "Belongs to",
            (
                link("user", "person"),
                link("account", "organisation", "account__name"),
                when_exactly("created_at", "made"),
            ),
        ),
        ("Use", _USE),
    )
