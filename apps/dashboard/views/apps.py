"""The apps list, with adding, syncing and removing an app."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.dashboard.auditing import audit_app
from apps.dashboard.environment import environment_id
from apps.dashboard.fragments import redirect, render_dialog, render_page
from apps.dashboard.pages.apps import app_cards, last_unattached_sync_ms
from apps.dashboard.permissions import requires
from apps.dashboard.presenters.apps import ERROR_TITLES
from apps.dashboard.snippets import origin
from apps.registry import selectors
from apps.registry.app_urls import AppUrlError
from apps.registry.models import App
from apps.registry.services.apps import app_create, app_delete
from apps.registry.services.ping import app_ping
from apps.tenancy.permissions import Permission


@require_GET
@requires(Permission.VIEW)
def app_list(request: HttpRequest) -> HttpResponse:
    context = {
        "apps": app_cards(environment_id(request)),
        "unattached_at": last_unattached_sync_ms(environment_id(request)),
        "origin": origin(request),
        "is_server": settings.STEPWELL_MODE != "dev",
    }
    return render_page(
        request, "apps/list.html", context, section="apps", fragments={"apps-list": "apps/_list.html"}
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.APP_SYNC)
def app_add(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return _add_form(request, request.GET.get("url", ""))
    url = request.POST.get("url", "").strip()
    if not url:
        return _add_form(request, url, "url: enter the address at which the app serves its functions")
    try:
        app = app_create(environment_id(request), url)
    except AppUrlError as problem:
        return _add_form(request, url, f"url: {problem}")
    audit_app(request, "app.sync", app)
    _report(request, app)
    return redirect(request, _after_adding(request))


def _after_adding(request: HttpRequest) -> str:
    """Whoever takes the first steps goes on with the next of them."""
    is_first = request.POST.get("from", request.GET.get("from")) == "start"
    return reverse("dashboard:start" if is_first else "dashboard:apps")


def _add_form(request: HttpRequest, url: str, error: str = "") -> HttpResponse:
    back_url = _after_adding(request)
    context = {"dialog_title": "Add app", "url": url, "error": error, "back_url": back_url}
    return render_dialog(request, "apps/add.html", context, section="apps", status=422 if error else 200)


@require_POST
@requires(Permission.APP_SYNC)
def app_sync(request: HttpRequest, app_id: UUID) -> HttpResponse:
    app = _app(request, app_id)
    audit_app(request, "app.sync", app)
    _report(request, app_ping(app.environment_id, app.url).app or app)
    return redirect(request, reverse("dashboard:apps"))


@require_http_methods(["GET", "POST"])
@requires(Permission.APP_ARCHIVE)
def app_remove(request: HttpRequest, app_id: UUID) -> HttpResponse:
    app = _app(request, app_id)
    if request.method == "POST":
        app_delete(app.environment_id, app.id)
        audit_app(request, "app.archive", app)
        messages.success(request, f"{app} was removed.")
        return redirect(request, reverse("dashboard:apps"))
    context = {
        "dialog_title": f"Remove {app}?",
        "text": "Its functions start no more runs and its schedules stop at once; runs that are under way "
        "go on. A later sync of the app brings everything back.",
        "action": reverse("dashboard:app-remove", args=[app.id]),
        "back_url": reverse("dashboard:apps"),
        "back_label": "Keep it",
        "confirm_label": "Remove app",
        "confirm_icon": "trash-2",
        "confirm_class": "button-danger-solid",
        "is_danger": True,
    }
    return render_dialog(request, "confirm.html", context, section="apps")


def _app(request: HttpRequest, app_id: UUID) -> App:
    app = selectors.app_by_id(environment_id(request), app_id)
    if app is None or app.archived_at is not None:
        raise Http404("no such app")
    return app


def _report(request: HttpRequest, app: App) -> None:
    if app.error:
        messages.error(request, f"{app} could not be synced: {ERROR_TITLES.get(app.error, app.error)}.")
    else:
        messages.success(request, f"{app} is synced.")
