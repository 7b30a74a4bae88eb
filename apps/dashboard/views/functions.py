"""Functions: the list, one function with its queue and its recent runs, invoking, pausing."""

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.dashboard.auditing import audit_function
from apps.dashboard.environment import current_environment, environment_id
from apps.dashboard.fragments import redirect, render_dialog, render_page
from apps.dashboard.pages.functions import function_list, known_function, live_function
from apps.dashboard.pages.queue import function_queue
from apps.dashboard.pages.run_list import recent_runs
from apps.dashboard.pages.sending import function_invoke
from apps.dashboard.permissions import requires
from apps.dashboard.presenters.functions import function_view
from apps.dashboard.snippets import app_snippets
from apps.dashboard.tenant import access_of
from apps.dashboard.views.runs import UNREACHABLE
from apps.engine.store.client import RedisUnavailable
from apps.operations.services import function_pause, function_resume
from apps.realtime.topics import runs_topic
from apps.registry.exceptions import FunctionArchived
from apps.registry.models import Function
from apps.tenancy.permissions import Permission

RECENT_RUNS: Final = 20


@require_GET
@requires(Permission.VIEW)
def functions(request: HttpRequest) -> HttpResponse:
    context = {
        "functions": function_list(environment_id(request)),
        "snippets": lambda: app_snippets(request),
    }
    return render_page(request, "functions/list.html", context, section="functions")


@require_GET
@requires(Permission.VIEW)
def function(request: HttpRequest, slug: str) -> HttpResponse:
    row = known_function(environment_id(request), slug)
    shows_data = access_of(request).has(Permission.DATA_READ)
    context = {
        "function": function_view(row),
        "page": SimpleLazyObject(lambda: recent_runs(row.environment_id, row, RECENT_RUNS)),
        "queue": SimpleLazyObject(lambda: function_queue(row, shows_data=shows_data)),
        "live_topic": runs_topic(row.environment_id),
    }
    fragments = {"function-runs": "functions/_runs.html", "function-queue": "functions/_queue.html"}
    return render_page(request, "functions/page.html", context, section="functions", fragments=fragments)


@require_http_methods(["GET", "POST"])
@requires(Permission.FUNCTION_INVOKE)
def invoke(request: HttpRequest, slug: str) -> HttpResponse:
    row = live_function(environment_id(request), slug)
    if request.method == "GET":
        return _form(request, row, "{}")
    data = request.POST.get("data", "")
    try:
        function_invoke(current_environment(request), row.id, row.slug, data)
    except ValueError as problem:
        return _form(request, row, data, str(problem))
    except RedisUnavailable:
        return _form(request, row, data, UNREACHABLE)
    audit_function(request, "function.invoke", row)
    messages.success(request, f"{row.name} was invoked.")
    return redirect(request, reverse("dashboard:function", args=[slug]))


@require_http_methods(["GET", "POST"])
@requires(Permission.FUNCTION_PAUSE)
def pause(request: HttpRequest, slug: str) -> HttpResponse:
    """Cancelling its runs is asked for twice."""
    row = live_function(environment_id(request), slug)
    cancels_running = request.POST.get("runs") == "cancel"
    if request.method == "GET" or (cancels_running and "confirmed" not in request.POST):
        return _pause_form(request, row, must_confirm=cancels_running)
    environment = current_environment(request)
    try:
        function_pause(environment=environment, function_id=row.id, cancels_running=cancels_running)
    except FunctionArchived as problem:
        return _pause_form(request, row, str(problem))
    except RedisUnavailable:
        # The pause is stored, and Redis will hear of it; nothing is being cancelled.
        audit_function(request, "function.pause", row, {"cancels_running": False})
        return _pause_form(request, row, UNREACHABLE, must_confirm=cancels_running)
    audit_function(request, "function.pause", row, {"cancels_running": cancels_running})
    words = "paused, and its runs are being cancelled" if cancels_running else "paused"
    messages.success(request, f"{row.name} is {words}.")
    return redirect(request, reverse("dashboard:function", args=[slug]))


@require_POST
@requires(Permission.FUNCTION_PAUSE)
def resume(request: HttpRequest, slug: str) -> HttpResponse:
    row = known_function(environment_id(request), slug)
    try:
        function_resume(environment=current_environment(request), function_id=row.id)
    except RedisUnavailable:
        messages.error(request, UNREACHABLE)
    else:
        messages.success(request, f"{row.name} goes on.")
    audit_function(request, "function.resume", row)
    return redirect(request, reverse("dashboard:function", args=[slug]))


def _pause_form(
    request: HttpRequest, row: Function, error: str = "", *, must_confirm: bool = False
) -> HttpResponse:
    queue = function_queue(row) if must_confirm else None
    context = {
        "dialog_title": f"Cancel the runs of {row.name}?" if must_confirm else f"Pause {row.name}?",
        "function": function_view(row),
        "must_confirm": must_confirm,
        "live_runs": queue.live_runs if queue else 0,
        "error": error,
    }
    status = 422 if error else 200
    return render_dialog(request, "functions/pause.html", context, section="functions", status=status)


def _form(request: HttpRequest, row: Function, data: str, error: str = "") -> HttpResponse:
    context = {
        "dialog_title": f"Invoke {row.name}",
        "function": function_view(row),
        "data": data,
        "error": error,
    }
    status = 422 if error else 200
    return render_dialog(request, "functions/invoke.html", context, section="functions", status=status)
