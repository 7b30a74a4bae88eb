"""Organisations in the operator console: suspended and back, let in from everywhere, and their share of the
queue."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse

from apps.audit.http import actor_of
from apps.audit.services import audit_record
from apps.identity.console.columns import (
    code,
    flag,
    links_to,
    plain,
    state,
    tags,
    when,
    when_exactly,
)
from apps.identity.console.confirming import Question, ask_first
from apps.identity.console.filters import by_choice, by_content, by_date
from apps.identity.console.pages import ConsoleAdmin
from apps.identity.models import User
from apps.tenancy.entitlements import Entitlements, entitlements_of
from apps.tenancy.models import Account, AccountStatus, Membership, Role
from apps.tenancy.services.accounts import account_set_networks, account_suspend, account_unsuspend
from apps.tenancy.services.shares import account_set_share

_SHARE: Final = ("concurrency_limit", "weight")
_TONES: Final = {AccountStatus.ACTIVE: "ok", AccountStatus.SUSPENDED: "bad", AccountStatus.DELETING: "wait"}
_SUSPEND: Final = Question(
    "suspend",
    "Suspend?",
    "Events and requests of its apps are refused, and members change nothing. Everything can still be read, "
    "and the suspension can end at any time.",
    "Suspend",
    is_grave=True,
)
_UNSUSPEND: Final = Question(
    "unsuspend",
    "End the suspension?",
    "Events are accepted again, and members can work as before.",
    "End the suspension",
)
_LIFT_NETWORKS: Final = Question(
    "lift_networks",
    "See it from everywhere?",
    "Members see the organisation from any address again, until somebody who manages it names networks "
    "anew. For those who have locked themselves out.",
    "Lift the networks",
    is_grave=True,
)
# Of an organisation to which an action may be done.
_STATES: Final = {
    "suspend": AccountStatus.ACTIVE,
    "unsuspend": AccountStatus.SUSPENDED,
    "lift_networks": AccountStatus.ACTIVE,
}


@admin.display(description="own limits")
def _own_limits(account: Account) -> str:
    """Which limits differ from the server's."""
    return _named(account.entitlements)


@admin.display(description="limits in force")
def _limits(account: Account) -> str:
    limits = entitlements_of(account)
    return _named({name: getattr(limits, name) for name in Entitlements.__struct_fields__})


def _named(limits: Mapping[str, int | None]) -> str:
    return tags([f"{name.replace('_', ' ')}: {_limit(value)}" for name, value in limits.items()])


def _limit(value: int | None) -> str:
    return "none" if value is None else f"{value:,}"


@admin.display(description="networks of members")
def _networks(account: Account) -> str:
    return tags(account.allowed_networks)


@admin.display(description="owners")
def _owners(account: Account) -> str:
    return links_to(User.objects.filter(memberships__account=account, memberships__role=Role.OWNER))


def _members() -> Subquery:
    """Counted for the rows that are shown, not for all."""
    counted = Membership.objects.filter(account=OuterRef("pk")).order_by().values("account")
    return Subquery(counted.annotate(number=Count("pk")).values("number"))


@admin.register(Account)
class AccountAdmin(ConsoleAdmin[Account]):
    """The limit of concurrent steps and the weight can be changed; members have the rest to themselves."""

    called = ("organisation", "organisations")
    about = "The tenants of this server: their state, their share of the queue, and their limits."
    list_display = (
        "name",
        code("slug", "slug"),
        state("status", "status", _TONES),
        "people",
        plain("weight", "weight"),
        plain("concurrency_limit", "steps at a time"),
        when("created_at", "created"),
    )
    list_filter = (
        by_choice("status", "status"),
        by_content("entitlements", "limits", "The server's", "Their own", nothing={}),
        by_date("created_at", "created"),
    )
    search_fields = ("name", "slug", "memberships__user__email")
    search_help_text = "Name, slug, id, or the e-mail address of a member"
    ordering = ("name",)
    details = (
        (
            "Organisation",
            (
                plain("name", "name"),
                code("slug", "slug"),
                code("id", "id"),
                state("status", "status", _TONES),
                when_exactly("delete_at", "deleted at"),
                when_exactly("created_at", "created"),
                _owners,
                flag("allows_support_access", "operators may look into it"),
                flag("requires_two_factor", "members need a second factor"),
                _networks,
            ),
        ),
        ("Limits", (_limits, _own_limits)),
        ("Share of the queue", (*_SHARE, plain("shard", "shard"))),
    )
    labels: ClassVar = {
        "concurrency_limit": ("Steps at a time", "Empty: as many as the server's default allows."),
        "weight": ("Weight", "Its share of the workers while organisations compete: 2 gets twice as much."),
    }
    actions: Any = ("suspend", "unsuspend", "lift_networks")

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> tuple[Any, ...]:
        names = [name for _, fields in self.details for name in fields]
        return tuple(name for name in names if name not in _SHARE)

    def fits(self, action: str, row: Account) -> bool:
        if action == "look_into":
            return row.allows_support_access
        if action == "lift_networks" and not row.allowed_networks:
            return False
        return row.status == _STATES.get(action, row.status)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return super().get_queryset(request).annotate(people_count=Coalesce(_members(), 0))

    @admin.display(description="members", ordering="people_count")
    def people(self, account: Account) -> int:
        return int(getattr(account, "people_count", 0))

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        before = Account.objects.filter(pk=obj.pk).values(*_SHARE).get()
        after = {name: getattr(obj, name) for name in _SHARE}
        if before == after:
            return
        audit_record(
            account_id=obj.id,
            actor=actor_of(request),
            action="account.share",
            target_type="account",
            target_id=obj.id,
            target_label=obj.name,
            before=before,
            after=after,
        )
        account_set_share(account_id=obj.id, **after)

    @admin.action(description="Suspend", permissions=["change"])
    def suspend(self, request: HttpRequest, rows: QuerySet[Account]) -> HttpResponse | None:
        if page := ask_first(self, request, rows, _SUSPEND):
            return page
        for account in rows:
            account_suspend(account=account, actor=actor_of(request))
        messages.success(request, "Suspended.")
        return None

    @admin.action(description="End the suspension", permissions=["change"])
    def unsuspend(self, request: HttpRequest, rows: QuerySet[Account]) -> HttpResponse | None:
        if page := ask_first(self, request, rows, _UNSUSPEND):
            return page
        for account in rows:
            account_unsuspend(account=account, actor=actor_of(request))
        messages.success(request, "The suspension has ended.")
        return None

    @admin.action(description="Lift the networks", permissions=["change"])
    def lift_networks(self, request: HttpRequest, rows: QuerySet[Account]) -> HttpResponse | None:
        if page := ask_first(self, request, rows, _LIFT_NETWORKS):
            return page
        bound = [account for account in rows if self.fits("lift_networks", account)]
        for account in bound:
            account_set_networks(account=account, text="", actor=actor_of(request))
        if bound:
            messages.success(request, f"Seen from everywhere: {', '.join(map(str, bound))}.")
        else:
            messages.warning(request, "There was none that is active and bound to networks.")
        return None
