"""People in the operator console. Passwords and factors are a person's own affair; whether they may sign in,
and operate the server, is not."""

from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest

from apps.audit.http import actor_of
from apps.audit.services import INSTALLATION_ID, audit_record
from apps.identity.console.columns import badge, code, flag, plain, when, when_exactly
from apps.identity.console.filters import by_date, by_flag
from apps.identity.console.pages import ConsoleAdmin
from apps.identity.models import User

_SWITCHES: Final = ("is_active", "is_staff", "is_superuser")
_POWERS: Final = ("is_staff", "is_superuser")
_OF_PERSON: Final = (
    plain("name", "name"),
    plain("email", "e-mail address"),
    code("id", "id"),
    when_exactly("date_joined", "joined"),
    when_exactly("last_login", "last sign-in"),
)

_LABELS: Final = {
    "is_active": ("May sign in", "Switched off, the person is signed out with the next request."),
    "is_staff": ("Operates the server", "Opens this console, as far as permissions go."),
    "is_superuser": ("May do everything", "Sees and does all of it, and decides who else operates it."),
}
_IN_WORDS: Final = {name: flag(name, _LABELS[name][0]) for name in _SWITCHES}


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


@admin.register(User)
class UserAdmin(ConsoleAdmin[User]):
    called = ("person", "people")
    about = "Everybody who can sign in to this server, and who of them operates it."
    list_display = (
        "email",
        plain("name", "name"),
        "standing",
        "power",
        when("date_joined", "joined"),
        when("last_login", "last sign-in"),
    )
    list_filter = (
        by_flag("is_active", "signs in", "May sign in", "Switched off"),
        by_flag("is_staff", "operates the server", "Operators", "Everybody else"),
        by_date("date_joined", "joined"),
    )
    search_fields = ("email", "name", "memberships__account__name", "memberships__account__slug")
    search_help_text = "E-mail address, name, id, or organisation"
    ordering = ("email",)
    labels = _LABELS

    @admin.display(description="signs in", ordering="is_active")
    def standing(self, user: User) -> str:
        return badge("Yes", "ok") if user.is_active else badge("Switched off", "bad")

    @admin.display(description="operates the server", ordering="is_staff")
    def power(self, user: User) -> str:
        if user.is_superuser:
            return badge("Everything", "busy")
        return badge("As permitted", "wait") if user.is_staff else badge("No", "quiet")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A superuser is changed by superusers only."""
        if obj is not None and obj.is_superuser and not _is_superuser(request):
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[Any, ...]:
        fixed = self._fixed(request, obj)
        return (*_OF_PERSON, *fixed, *(_IN_WORDS[name] for name in fixed))

    def _fixed(self, request: HttpRequest, obj: User | None) -> tuple[str, ...]:
        """Nobody locks themselves out, and who operates the server is decided by superusers."""
        if obj == request.user or not self.has_change_permission(request, obj):
            return _SWITCHES
        return () if _is_superuser(request) else _POWERS

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """What cannot be switched is said in words."""
        fixed = self._fixed(request, obj)
        shown = [_IN_WORDS[name] if name in fixed else name for name in _SWITCHES]
        return [("Person", {"fields": _OF_PERSON}), ("Access", {"fields": shown})]

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
