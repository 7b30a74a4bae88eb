"""Credentials in the operator console: who has which, and never a secret or a hash of one."""

from django.contrib import admin

from apps.credentials.models import ApiKey, EventKey, PersonalToken, SigningKey
from apps.identity.read_only_admin import ReadOnlyAdmin


@admin.register(EventKey)
class EventKeyAdmin(ReadOnlyAdmin):
    list_display = ("name", "prefix", "account", "environment", "source", "last_used_at", "revoked_at")
    list_filter = ("source",)
    list_select_related = ("account", "environment")
    search_fields = ("name", "account__name")
    exclude = ("value_hash", "value_encrypted")


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    list_display = (
        "prefix",
        "account",
        "environment",
        "state",
        "created_at",
        "last_seen_at",
        "retired_until",
    )
    list_filter = ("state",)
    list_select_related = ("account", "environment")
    search_fields = ("account__name",)
    exclude = ("value_encrypted", "bearer_hash")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("name", "preview", "account", "environment", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("account", "environment")
    search_fields = ("name", "account__name")
    exclude = ("value_hash",)


@admin.register(PersonalToken)
class PersonalTokenAdmin(ReadOnlyAdmin):
    list_display = ("name", "preview", "user", "account", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("user", "account")
    search_fields = ("name", "user__email")
    exclude = ("value_hash",)
