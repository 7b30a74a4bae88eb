"""Environments in the operator console, for reading."""

from django.contrib import admin

from apps.identity.console.columns import choice, code, ended, link, plain, when, when_exactly
from apps.identity.console.filters import by_choice, by_date, by_end, chosen
from apps.identity.console.pages import ReadOnlyAdmin
from apps.tenancy.models import Account, Environment


@admin.register(Environment)
class EnvironmentAdmin(ReadOnlyAdmin[Environment]):
    called = ("environment", "environments")
    about = "Production, custom and branch environments of all organisations."
    list_display = (
        "name",
        link("account", "organisation"),
        choice("type", "kind"),
        code("slug", "slug"),
        ended("archived_at", "state", live="In use", over="Archived"),
        when("last_synced_at", "last sync"),
        when("created_at", "created"),
    )
    list_filter = (
        by_choice("type", "kind"),
        by_end("archived_at", "state", "In use", "Archived"),
        by_date("created_at", "created"),
        chosen("organisation", Account, "account"),
    )
    list_select_related = ("account",)
    search_fields = ("name", "slug", "account__name", "account__slug")
    search_help_text = "Name, slug, id, or organisation"
    ordering = ("account__name", "name")
    details = (
        (
            "Environment",
            (
                plain("name", "name"),
                link("account", "organisation"),
                choice("type", "kind"),
                link("parent", "branch of"),
                code("slug", "slug"),
                code("id", "id"),
                plain("weight", "weight"),
                ended("archived_at", "state", live="In use", over="Archived"),
            ),
        ),
        (
            "Times",
            (
                when_exactly("created_at", "created"),
                when_exactly("last_synced_at", "last sync"),
                when_exactly("auto_archive_at", "archived by itself"),
                when_exactly("archived_at", "archived"),
                when_exactly("delete_requested_at", "deletion asked for"),
            ),
        ),
    )
