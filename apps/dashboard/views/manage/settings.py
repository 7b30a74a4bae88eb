"""The settings of an environment (spec 05, 5.4.26)."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.audit.actors import Actor
from apps.audit.http import actor_of
from apps.dashboard.fragments import redirect, render_page
from apps.dashboard.gates import gate_of
from apps.dashboard.permissions import requires
from apps.dashboard.places import organisation_url
from apps.dashboard.server_only import server_only
from apps.dashboard.switching import kind_of
from apps.dashboard.tenant import access_of, environment_of
from apps.tenancy.exceptions import InvalidWeight, TenancyError
from apps.tenancy.models import Environment, EnvironmentType
from apps.tenancy.permissions import Permission
from apps.tenancy.services import environments as services

SECTION = "settings"


@require_GET
@server_only
@requires(Permission.VIEW)
def settings_page(request: HttpRequest) -> HttpResponse:
    return _page(request)


def _page(request: HttpRequest, **refused: str) -> HttpResponse:
    """`refused` is a setting as it was typed, and why it was not saved."""
    access, environment = access_of(request), environment_of(request)
    kind = environment.type
    context = {
        "environment": environment,
        "kind": kind_of(environment),
        "gate": gate_of(access, Permission.ENVIRONMENT_MANAGE),
        "colours": services.COLOURS,
        "has_name": kind in (EnvironmentType.PRODUCTION, EnvironmentType.TEST),
        "is_branch": kind == EnvironmentType.BRANCH_CHILD,
        "is_archivable": kind in (EnvironmentType.TEST, EnvironmentType.BRANCH_CHILD),
        "save": {what: reverse("dashboard:settings-save", args=[what]) for what in SETTINGS},
        "archive_url": organisation_url(access.account, "environment-archive", environment.id),
        "environments_url": organisation_url(access.account, "environments"),
        **refused,
    }
    status = 422 if refused else 200
    return render_page(request, "manage/settings.html", context, section=SECTION, status=status)


@require_POST
@server_only
@requires(Permission.ENVIRONMENT_MANAGE)
def save(request: HttpRequest, what: str) -> HttpResponse:
    if what not in SETTINGS:
        raise Http404("no such setting")
    act, value = SETTINGS[what], request.POST.get("value", "")
    try:
        act(environment_of(request), value, actor_of(request))
    except TenancyError as refused:
        environment_of(request).refresh_from_db()
        return _page(request, refused_what=what, refused_value=value, refused_why=str(refused))
    messages.success(request, "The setting is saved.")
    return redirect(request, reverse("dashboard:settings"))


def _rename(environment: Environment, value: str, actor: Actor) -> object:
    return services.environment_rename(environment=environment, name=value, actor=actor)


def _colour(environment: Environment, value: str, actor: Actor) -> object:
    return services.environment_set_colour(environment=environment, colour=value, actor=actor)


def _weight(environment: Environment, value: str, actor: Actor) -> object:
    if not (value.isascii() and value.isdigit() and len(value) < 6):
        raise InvalidWeight
    return services.environment_set_weight(environment=environment, weight=int(value), actor=actor)


def _auto_archive(environment: Environment, value: str, actor: Actor) -> object:
    return services.environment_set_auto_archive(environment=environment, is_on=value == "1", actor=actor)


SETTINGS: dict[str, Callable[[Environment, str, Actor], object]] = {
    "name": _rename,
    "colour": _colour,
    "weight": _weight,
    "archiving": _auto_archive,
}
