"""Webhooks in the operator console: whose they are and how they fare. Scripts and secrets are not shown."""

from django.contrib import admin

from apps.identity.console.columns import choice, code, flag, link, plain, when, when_exactly
from apps.identity.console.filters import by_choice, chosen
from apps.identity.console.pages import ReadOnlyAdmin
from apps.tenancy.models import Account, Environment
from apps.webhooks.models import Webhook


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin[Webhook]):
    called = ("webhook", "webhooks")
    about = "What makes events of other services' requests. Deliveries are on the organisation's own pages."
    list_display = (
        "named",
        link("key.account", "organisation", "key__account__name"),
        link("key.environment", "environment"),
        plain("preset", "preset"),
        plain("accepted_count", "accepted"),
        plain("failed_count", "failed"),
        plain("unverified_count", "not verified"),
        when("last_delivery_at", "last delivery"),
    )
    list_filter = (
        by_choice("scheme", "verification"),
        chosen("organisation", Account, "key__account", "account"),
        chosen("environment", Environment, "key__environment", "environment"),
    )
    list_select_related = ("key__account", "key__environment")
    search_fields = ("key__name", "preset", "key__account__name", "key__account__slug")
    search_help_text = "Name, preset, id, or organisation"
    ordering = ("-last_delivery_at",)
    details = (
        (
            "Webhook",
            (
                "named",
                plain("preset", "preset"),
                choice("scheme", "verification"),
                flag("has_secret", "has a secret"),
                code("id", "id"),
            ),
        ),
        (
            "Belongs to",
            (
                link("key.account", "organisation"),
                link("key.environment", "environment"),
                link("key", "event key"),
                when_exactly("created_at", "made"),
                when_exactly("updated_at", "changed"),
            ),
        ),
        (
            "Deliveries",
            (
                plain("delivery_count", "in all"),
                plain("accepted_count", "accepted"),
                plain("dropped_count", "dropped by the transform"),
                plain("failed_count", "transform failed"),
                plain("unverified_count", "not verified"),
                plain("refused_count", "refused"),
                when_exactly("last_delivery_at", "last"),
            ),
        ),
    )

    def title_of(self, row: Webhook) -> str:
        return row.name

    @admin.display(description="name", ordering="key__name")
    def named(self, webhook: Webhook) -> str:
        return webhook.name
