"""The registry in Django's admin: for reading; what SDKs register is changed by syncs alone."""

from django.contrib import admin

from apps.identity.read_only_admin import ReadOnlyAdmin
from apps.registry.models import App, Function, FunctionVersion, Sync


@admin.register(App)
class AppAdmin(ReadOnlyAdmin):
    list_display = ["name", "url", "method", "sdk_language", "sdk_version", "error", "archived_at"]
    list_filter = ["environment", "method", "sdk_language"]
    search_fields = ["name", "url"]


@admin.register(Function)
class FunctionAdmin(ReadOnlyAdmin):
    list_display = ["slug", "name", "app", "version", "paused_at", "archived_at"]
    list_filter = ["environment"]
    list_select_related = ["app"]
    search_fields = ["slug", "name"]


@admin.register(FunctionVersion)
class FunctionVersionAdmin(ReadOnlyAdmin):
    list_display = ["function", "version", "created_at"]
    list_select_related = ["function"]
    search_fields = ["function__slug"]


@admin.register(Sync)
class SyncAdmin(ReadOnlyAdmin):
    list_display = ["last_synced_at", "app", "url", "status", "error_code", "function_count", "repeats"]
    list_filter = ["environment", "status"]
    list_select_related = ["app"]
    search_fields = ["url"]
