"""Functions: the list, one function with its recent runs, invoking."""

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from apps.dashboard.environment import current_environment, environment_id
from apps.dashboard.fragments import redirect, render_dialog, render_page
from apps.dashboard.pages.functions import function_list, known_function, live_function
from apps.dashboard.pages.run_list import recent_runs
from apps.dashboard.pages.sending import function_invoke
from apps.dashboard.presenters.functions import function_view
from apps.dashboard.views.runs import UNREACHABLE
from apps.engine.store.client import RedisUnavailable
from apps.realtime.topics import runs_topic
from apps.registry.models import Function

RECENT_RUNS: Final = 20


@require_GET
def functions(request: HttpRequest) -> HttpResponse:
    context = {"functions": function_list(environment_id(request))}
    return render_page(request, "functions/list.html", context, section="functions")


@require_GET
def function(request: HttpRequest, slug: str) -> HttpResponse:
    row = known_function(environment_id(request), slug)
    context = {
        "function": function_view(row),
        "page": recent_runs(row.environment_id, row, RECENT_RUNS),
        "live_topic": runs_topic(row.environment_id),
    }
    fragments = {"function-runs": "functions/_runs.html"}
    return render_page(request, "functions/page.html", context, section="functions", fragments=fragments)


@require_http_methods(["GET", "POST"])
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
    messages.success(request, f"{row.name} was invoked.")
    return redirect(request, reverse("dashboard:function", args=[slug]))


def _form(request: HttpRequest, row: Function, data: str, error: str = "") -> HttpResponse:
    context = {
        "dialog_title": f"Invoke {row.name}",
        "function": function_view(row),
        "data": data,
        "error": error,
    }
    status = 422 if error else 200
    return render_dialog(request, "functions/invoke.html", context, section="functions", status=status)
