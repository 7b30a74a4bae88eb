"""Bulk operations in the operator console, for reading."""

from datetime import UTC, datetime
from typing import Final

from django.contrib import admin

from apps.identity.console.columns import choice, code, link, moment, plain, state
from apps.identity.console.filters import chosen
from apps.identity.console.pages import NewestAdmin
from apps.operations.choices import CancellationStatus
from apps.operations.models import Cancellation
from apps.registry.models import Function
from apps.tenancy.models import Account, Environment

_TONES: Final = {CancellationStatus.RUNNING: "busy", CancellationStatus.FINISHED: "ok"}


@admin.register(Cancellation)
class CancellationAdmin(NewestAdmin[Cancellation]):
    called = ("bulk cancellation", "bulk cancellations")
    about = "Cancellations of many runs at once, newest first."
    list_display = (
        code("id", "id"),
        link("account", "organisation", "account__name"),
        link("environment", "environment"),
        link("function", "function"),
        state("status", "state", _TONES),
        plain("matched", "matched"),
        plain("cancelled", "cancelled"),
        "made",
    )
    list_filter = (
        chosen("organisation", Account, "account"),
        chosen("environment", Environment, "environment"),
        chosen("function", Function, "function"),
    )
    list_select_related = ("account", "environment", "function")
    ordering = ("-id",)
    details = (
        (
            "Cancellation",
            (
                plain("name", "name"),
                code("id", "id"),
                choice("kind", "kind"),
                choice("cause", "asked for by"),
                state("status", "state", _TONES),
            ),
        ),
        (
            "Belongs to",
            (
                link("account", "organisation"),
                link("environment", "environment"),
                link("app", "app"),
                link("function", "function"),
            ),
        ),
        (
            "Runs",
            (
                code("expression", "for which"),
                plain("matched", "matched"),
                plain("cancelled", "cancelled"),
                "made",
                "finished",
            ),
        ),
    )

    def title_of(self, row: Cancellation) -> str:
        return row.name or f"Cancellation {row.id}"

    @admin.display(description="made")
    def made(self, row: Cancellation) -> str:
        return moment(_at(row.created_at))

    @admin.display(description="finished")
    def finished(self, row: Cancellation) -> str:
        return moment(_at(row.finished_at))


def _at(ms: int | None) -> datetime | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)
