"""People, organisations and environments in the operator console.

Passwords and factors are a person's own affair; whether they may sign in, and operate the server, is not.
"""

from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from apps.audit.http import actor_of
from apps.audit.services import INSTALLATION_ID, audit_record
from apps.identity.models import User
from apps.identity.read_only_admin import ReadOnlyAdmin
from apps.tenancy.models import Account, Environment, Membership
from apps.tenancy.services.accounts import account_suspend, account_unsuspend
from apps.tenancy.services.shares import account_set_share

admin.site.site_header = "Stepwell operator console"
admin.site.site_title = "Operator console"
admin.site.index_title = "This server"

_SHARE: Final = ("concurrency_limit", "weight")
_FIXED: Final = ("name", "slug", "status", "entitlements", "shard", "allows_support_access", "created_at")
_SWITCHES: Final = ("is_active", "is_staff", "is_superuser")
_POWERS: Final = ("is_staff", "is_superuser")
_OF_PERSON: Final = ("email", "name", "date_joined", "last_login")


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


class MembershipInline(admin.TabularInline[Membership, Account]):
    model = Membership
    fields = readonly_fields = ("user", "role", "is_restricted", "joined_at", "last_active_at")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        return False


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin[Account]):
    """The limit of concurrent steps and the weight can be changed; members have the rest to themselves."""

    list_display = ("name", "slug", "status", "people", "weight", "concurrency_limit", "created_at")
    list_filter = ("status", "allows_support_access")
    search_fields = ("name", "slug", "memberships__user__email")
    ordering = ("name",)
    fields = (*_FIXED, *_SHARE)
    readonly_fields = _FIXED
    inlines = (MembershipInline,)
    actions: Any = ("suspend", "unsuspend")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return super().get_queryset(request).annotate(people_count=Count("memberships"))

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

    @admin.action(description="Suspend: everything can be read, nothing runs")
    def suspend(self, request: HttpRequest, chosen: QuerySet[Account]) -> None:
        for account in chosen:
            account_suspend(account=account, actor=actor_of(request))
        messages.success(request, "Suspended.")

    @admin.action(description="End the suspension")
    def unsuspend(self, request: HttpRequest, chosen: QuerySet[Account]) -> None:
        for account in chosen:
            account_unsuspend(account=account, actor=actor_of(request))
        messages.success(request, "The suspension has ended.")


@admin.register(Environment)
class EnvironmentAdmin(ReadOnlyAdmin):
    list_display = ("name", "account", "type", "slug", "weight", "last_synced_at", "archived_at")
    list_filter = ("type",)
    list_select_related = ("account",)
    search_fields = ("name", "slug", "account__name")


@admin.register(User)
class UserAdmin(admin.ModelAdmin[User]):
    list_display = ("email", "name", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    ordering = ("email",)
    fields = (*_OF_PERSON, *_SWITCHES)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A superuser is changed by superusers only."""
        if obj is not None and obj.is_superuser and not _is_superuser(request):
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Nobody locks themselves out, and who operates the server is decided by superusers."""
        if obj == request.user:
            return (*_OF_PERSON, *_SWITCHES)
        return _OF_PERSON if _is_superuser(request) else (*_OF_PERSON, *_POWERS)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        before = User.objects.filter(pk=obj.pk).values(*_SWITCHES).get()
        super().save_model(request, obj, form, change)
        after = {name: getattr(obj, name) for name in _SWITCHES}
        if before != after:
            audit_record(
                account_id=INSTALLATION_ID,
                actor=actor_of(request),
                action="user.change",
                target_type="user",
                target_id=obj.pk,
                target_label=obj.email,
                before=before,
                after=after,
            )
