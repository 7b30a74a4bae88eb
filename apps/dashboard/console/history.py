"""Runs and events in the console: the newest of the server, or of an environment, and one by its id. Their
tables are the largest there are, so each list is one walk along an index, and nothing is counted."""

from datetime import UTC, datetime
from typing import Any, Final

from django.contrib import admin
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from apps.dashboard.presenters.statuses import run_badge
from apps.engine.protocol.ids import is_ulid
from apps.events.models import Event
from apps.identity.console.columns import NOTHING, Column, badge, code, flag, moment, plain
from apps.identity.console.filters import chosen
from apps.identity.console.pages import NewestAdmin
from apps.registry.models import Function
from apps.runs.models import Run
from apps.tenancy.models import Account, Environment

_OF_ENVIRONMENT: Final = chosen("environment", Environment, "environment_id", "environment")


def _names(model: type[Model], key: str, field: str) -> Subquery:
    """The rows have ids without foreign keys; the names are looked up for those that are shown."""
    return Subquery(model._default_manager.filter(pk=OuterRef(key)).values(field)[:1])


def _linked(key: str, label: str, title: str, model: type[Model]) -> Column:
    page = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"

    @admin.display(description=title)
    def show(row: Any) -> str:
        name, row_id = getattr(row, label, None), getattr(row, key)
        if name is None:
            return NOTHING
        return format_html('<a class="over-row" href="{}">{}</a>', reverse(page, args=[row_id]), name)

    return show


def _when(name: str, title: str) -> Column:
    @admin.display(description=title)
    def show(row: Any) -> str:
        at_ms = getattr(row, name)
        return moment(None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC))

    return show


_TENANT: Final = (
    _linked("account_id", "account_name", "organisation", Account),
    _linked("environment_id", "environment_name", "environment", Environment),
)


@admin.register(Run)
class RunAdmin(NewestAdmin[Run]):
    called = ("run", "runs")
    about = "The newest runs. Steps and results are on the organisation's own pages."
    list_display = (
        code("run_id", "run"),
        *_TENANT,
        _linked("function_id", "function_slug", "function", Function),
        "standing",
        _when("queued_at", "queued"),
        _when("ended_at", "ended"),
    )
    list_filter = (_OF_ENVIRONMENT,)
    search_fields = ("run_id",)
    search_help_text = "The id of a run"
    details = (
        (
            "Run",
            (
                code("run_id", "id"),
                "standing",
                _linked("function_id", "function_slug", "function", Function),
                plain("function_version", "function version"),
                plain("schedule_type", "started by"),
            ),
        ),
        ("Belongs to", _TENANT),
        (
            "Times",
            (
                _when("queued_at", "queued"),
                _when("scheduled_at", "due"),
                _when("started_at", "started"),
                _when("ended_at", "ended"),
            ),
        ),
    )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-queued_at", "-run_id") if "environment" in request.GET else ("-run_id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        rows = super().get_queryset(request).defer("flow", "cancel_reason", "skip_reason", "cron")
        return rows.annotate(
            account_name=_names(Account, "account_id", "name"),
            environment_name=_names(Environment, "environment_id", "name"),
            function_slug=_names(Function, "function_id", "slug"),
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Run], search_term: str
    ) -> tuple[QuerySet[Run], bool]:
        term = search_term.strip().upper()
        return (queryset.filter(run_id=term) if term else queryset), False

    def title_of(self, row: Run) -> str:
        return f"Run {row.run_id}"

    @admin.display(description="state")
    def standing(self, run: Run) -> str:
        shown = run_badge(run.status)
        return badge(shown.label, shown.tone)


@admin.register(Event)
class EventAdmin(NewestAdmin[Event]):
    called = ("event", "events")
    about = "The newest events. What they carry is on the organisation's own pages."
    list_display = (
        code("internal_id", "event"),
        plain("name", "name"),
        *_TENANT,
        plain("source", "source"),
        _when("received_at", "received"),
    )
    list_filter = (_OF_ENVIRONMENT,)
    search_fields = ("internal_id",)
    search_help_text = "The internal id of an event"
    details = (
        (
            "Event",
            (
                plain("name", "name"),
                code("internal_id", "id"),
                code("external_id", "the sender's id"),
                plain("source", "source"),
                flag("is_internal", "made by the engine"),
            ),
        ),
        ("Belongs to", _TENANT),
        ("Times", (_when("received_at", "received"), _when("ts", "occurred, says the sender"))),
    )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-internal_id", "-key") if "environment" in request.GET else ("-key",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return (
            super()
            .get_queryset(request)
            .defer("context")
            .annotate(
                account_name=_names(Account, "account_id", "name"),
                environment_name=_names(Environment, "environment_id", "name"),
            )
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """The index wants an environment: each is asked."""
        term = search_term.strip().upper()
        if not term:
            return queryset, False
        if not is_ulid(term):
            return queryset.none(), False
        return queryset.filter(environment_id__in=Environment.objects.values("id"), internal_id=term), False
