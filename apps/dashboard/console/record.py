"""The audit log in the console: of this server, or of one organisation. Entries are only read."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.audit.models import AuditEntry
from apps.audit.services import INSTALLATION_ID
from apps.identity.console.columns import as_json, badge, choice, code, link_to, plain, when, when_exactly
from apps.identity.console.filters import chosen
from apps.identity.console.pages import NewestAdmin
from apps.identity.models import User
from apps.tenancy.models import Account


@admin.register(AuditEntry)
class AuditEntryAdmin(NewestAdmin[AuditEntry]):
    called = ("audit entry", "audit log")
    about = "Changes of this server itself, newest first. An organisation's log is linked from its page."
    list_display = (
        code("action", "action"),
        plain("target_label", "of"),
        plain("actor_label", "by"),
        choice("actor_kind", "as"),
        code("ip", "from"),
        "outcome",
        when("at", "when", is_sorted_by=False),
    )
    list_filter = (chosen("organisation", Account, "account_id", "account"),)
    search_fields = ("action",)
    search_help_text = "An action, or the e-mail address of who did it"
    ordering = ("-number",)
    details = (
        (
            "Entry",
            (
                code("action", "action"),
                plain("target_label", "of"),
                code("target_type", "kind"),
                code("target_id", "its id"),
                "organisation",
                "outcome",
                when_exactly("at", "when"),
            ),
        ),
        (
            "Who",
            (
                plain("actor_label", "by"),
                choice("actor_kind", "as"),
                code("ip", "from"),
                code("user_agent", "with"),
                code("request_id", "request"),
            ),
        ),
        ("Change", (as_json("before", "before"), as_json("after", "after"))),
        ("Chain", (plain("number", "number"), code("hash", "hash"), code("previous_hash", "hash before"))),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Each organisation has a log of its own, and so has the server: its own unless another is chosen."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        if match is None or match.url_name != "audit_auditentry_changelist" or "account" in request.GET:
            return rows
        return rows.filter(account_id=INSTALLATION_ID)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """By what the log has an index for."""
        term = search_term.strip().lower()
        if "@" in term:
            people = [str(key) for key in User.objects.filter(email=term).values_list("id", flat=True)]
            return queryset.filter(actor_id__in=people), False
        return (queryset.filter(action=term) if term else queryset), False

    @admin.display(description="outcome")
    def outcome(self, entry: AuditEntry) -> str:
        return badge("Done", "ok") if entry.is_success else badge("Refused", "bad")

    @admin.display(description="organisation")
    def organisation(self, entry: AuditEntry) -> str:
        if entry.account_id == INSTALLATION_ID:
            return "This server"
        return link_to(Account.objects.filter(id=entry.account_id).first())
