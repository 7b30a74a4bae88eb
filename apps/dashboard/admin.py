"""The console's pages of the dashboard: history, the audit log, and the look into an organisation."""

from typing import Final

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.dashboard.console.history import EventAdmin, RunAdmin
from apps.dashboard.console.record import AuditEntryAdmin
from apps.dashboard.places import environment_url
from apps.dashboard.support import begin_support
from apps.identity.console.confirming import Question, ask_first
from apps.identity.models import User
from apps.tenancy.admin import AccountAdmin
from apps.tenancy.exceptions import NotFound
from apps.tenancy.models import Account, EnvironmentType

__all__ = ["AuditEntryAdmin", "EventAdmin", "RunAdmin"]

_QUESTION: Final = Question(
    "look_into",
    "Look into it?",
    "You see its pages as its members do, and can change nothing. It lasts an hour at most, a banner says so "
    "on each page, and beginning and end are in the organisation's audit log.",
    "Look into it",
)


@admin.action(description="Look into it")
def look_into(
    model_admin: AccountAdmin, request: HttpRequest, chosen: QuerySet[Account]
) -> HttpResponse | None:
    """Read-only, for an hour, on record."""
    account = chosen.first()
    user = request.user
    if account is None or chosen.count() != 1 or not isinstance(user, User):
        messages.error(request, "Choose one organisation.")
        return None
    if page := ask_first(model_admin, request, chosen, _QUESTION):
        return page
    try:
        begin_support(request, user, account)
    except NotFound:
        messages.error(request, f"{account.name} does not allow support access.")
        return None
    production = account.environments.filter(type=EnvironmentType.PRODUCTION, archived_at=None).first()
    if production is None:
        return HttpResponseRedirect(f"/o/{account.slug}/env")
    return HttpResponseRedirect(environment_url(account, production, "dashboard:runs"))


AccountAdmin.actions = (*AccountAdmin.actions, look_into)
