"""The registry in the operator console, for reading: what SDKs register is changed by syncs alone."""

from typing import Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.identity.console.columns import (
    as_json,
    badge,
    choice,
    code,
    ended,
    link,
    link_to,
    plain,
    state,
    when,
    when_exactly,
    words,
)
from apps.identity.console.filters import by_choice, by_content, by_date, by_end, chosen
from apps.identity.console.pages import NewestAdmin, ReadOnlyAdmin
from apps.registry.choices import SyncStatus
from apps.registry.models import App, Function, FunctionVersion, Sync
from apps.tenancy.models import Account, Environment

_TONES: Final = {SyncStatus.SUCCESS: "ok", SyncStatus.ERROR: "bad"}
_TENANT: Final = (link("account", "organisation", "account__name"), link("environment", "environment"))
_OF_TENANT: Final = (
    chosen("organisation", Account, "account"),
    chosen("environment", Environment, "environment"),
)
_ARCHIVED: Final = ended("archived_at", "state", live="In use", over="Archived")
_BY_ARCHIVED: Final = by_end("archived_at", "state", "In use", "Archived")
_SDK: Final = (
    plain("sdk_language", "SDK"),
    plain("sdk_version", "SDK version"),
    plain("framework", "framework"),
    plain("platform", "platform"),
    plain("app_version", "app version"),
)


@admin.register(App)
class AppAdmin(ReadOnlyAdmin[App]):
    called = ("app", "apps")
    about = "What SDKs have registered, and whether the last sync went well."
    list_display = (
        "__str__",
        *_TENANT,
        plain("sdk_language", "SDK"),
        plain("sdk_version", "version"),
        _ARCHIVED,
        code("error", "last error"),
        when("updated_at", "changed"),
    )
    list_filter = (
        by_content("error", "last sync", "Went well", "Failed"),
        _BY_ARCHIVED,
        by_choice("method", "reached by"),
        by_date("created_at", "made"),
        *_OF_TENANT,
    )
    list_select_related = ("account", "environment")
    search_fields = ("name", "url", "account__name", "account__slug")
    search_help_text = "Name, address, id, or organisation"
    ordering = ("-updated_at",)
    details = (
        (
            "App",
            (
                plain("name", "name"),
                code("url", "address"),
                choice("method", "reached by"),
                _ARCHIVED,
                code("id", "id"),
            ),
        ),
        ("Belongs to", (*_TENANT, when_exactly("created_at", "made"), when_exactly("updated_at", "changed"))),
        ("SDK", _SDK),
        ("Last error", (code("error", "what"), code("error_detail", "in detail"))),
    )


@admin.register(Function)
class FunctionAdmin(ReadOnlyAdmin[Function]):
    called = ("function", "functions")
    about = "The functions of all apps, and which of them are paused or drained."
    list_display = (
        "slug",
        plain("name", "name"),
        *_TENANT,
        link("app", "app"),
        plain("version", "version"),
        "standing",
        when("updated_at", "changed"),
    )
    list_filter = (
        _BY_ARCHIVED,
        by_end("paused_at", "pause", "Not paused", "Paused"),
        by_end("drained_at", "drain", "Not drained", "Drained"),
        *_OF_TENANT,
        chosen("app", App, "app"),
    )
    list_select_related = ("account", "environment", "app")
    search_fields = ("slug", "name", "account__name", "account__slug")
    search_help_text = "Slug, name, id, or organisation"
    ordering = ("slug",)
    details = (
        (
            "Function",
            (
                plain("name", "name"),
                code("slug", "slug"),
                link("app", "app"),
                code("url", "address"),
                plain("version", "version"),
                code("id", "id"),
            ),
        ),
        (
            "Belongs to",
            (*_TENANT, when_exactly("created_at", "made"), when_exactly("updated_at", "changed")),
        ),
        (
            "State",
            (
                _ARCHIVED,
                when_exactly("paused_at", "paused"),
                when_exactly("drained_at", "drained"),
                when_exactly("archived_at", "archived"),
            ),
        ),
        ("Configuration", (as_json("config", "as registered"),)),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Function]:
        return super().get_queryset(request).defer("config", "spec")

    @admin.display(description="state")
    def standing(self, function: Function) -> str:
        states = ("archived", "drained", "paused")
        found = [name for name in states if getattr(function, f"{name}_at") is not None]
        return badge(", ".join(found).capitalize(), "wait") if found else badge("In use", "ok")


@admin.register(FunctionVersion)
class FunctionVersionAdmin(NewestAdmin[FunctionVersion]):
    called = ("function version", "function versions")
    about = "Each distinct configuration of a function, newest first."
    is_listed = False
    parent = ("function", Function)
    list_display = (
        "numbered",
        link("function", "function"),
        *_TENANT,
        when("created_at", "valid since"),
    )
    list_filter = (chosen("function", Function, "function"),)
    list_select_related = ("function", "account", "environment")
    ordering = ("-id",)
    details = (
        ("Version", ("numbered", link("function", "function"), when_exactly("created_at", "valid since"))),
        ("Belongs to", (*_TENANT, "registered")),
        ("Configuration", (as_json("config", "as registered"),)),
    )

    def title_of(self, row: FunctionVersion) -> str:
        return f"{row.function}, version {row.version}"

    @admin.display(description="version")
    def numbered(self, version: FunctionVersion) -> str:
        return f"Version {version.version}"

    @admin.display(description="registered by")
    def registered(self, version: FunctionVersion) -> str:
        return link_to(version.sync, "a sync")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FunctionVersion]:
        return super().get_queryset(request).defer("config", "function__config", "function__spec")


@admin.register(Sync)
class SyncAdmin(NewestAdmin[Sync]):
    called = ("sync", "syncs")
    about = "Every attempt to register an app, newest first; equal ones are one row."
    is_listed = False
    parent = ("app", App)
    list_display = (
        when("last_synced_at", "last"),
        link("app", "app"),
        *_TENANT,
        state("status", "outcome", _TONES),
        code("error_code", "error"),
        plain("function_count", "functions"),
        plain("repeats", "repeats"),
    )
    list_filter = (chosen("app", App, "app"),)
    list_select_related = ("app", "account", "environment")
    ordering = ("-last_synced_at",)
    details = (
        (
            "Sync",
            (
                state("status", "outcome", _TONES),
                link("app", "app"),
                code("url", "address"),
                when_exactly("last_synced_at", "last"),
                when_exactly("created_at", "first"),
                plain("repeats", "repeats"),
            ),
        ),
        ("Belongs to", _TENANT),
        ("Error", (code("error_code", "code"), code("error", "text"))),
        (
            "Functions",
            (
                plain("function_count", "in all"),
                words("added", "added"),
                words("changed", "changed"),
                words("removed", "removed"),
                words("warnings", "warnings"),
            ),
        ),
        ("SDK", _SDK),
    )

    def title_of(self, row: Sync) -> str:
        return f"Sync of {row.app or row.url}"
