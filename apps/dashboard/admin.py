"""The operator console's way into an organisation, which is a page of the dashboard."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.dashboard.places import environment_url
from apps.dashboard.support import begin_support
from apps.identity.models import User
from apps.tenancy.admin import AccountAdmin
from apps.tenancy.exceptions import NotFound
from apps.tenancy.models import Account, EnvironmentType


@admin.action(description="Look into it: read-only, for an hour, on record")
def look_into(
    model_admin: AccountAdmin, request: HttpRequest, chosen: QuerySet[Account]
) -> HttpResponse | None:
    account = chosen.first()
    user = request.user
    if account is None or chosen.count() != 1 or not isinstance(user, User):
        messages.error(request, "Choose one organisation.")
        return None
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
