"""Runs: the list, one run, its payloads, cancel and rerun."""

from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from apps.dashboard.auditing import audit_download, audit_run
from apps.dashboard.environment import environment_id
from apps.dashboard.fragments import is_fragment, redirect, render_dialog, render_page
from apps.dashboard.pages.filters import RANGES, run_filters
from apps.dashboard.pages.first_steps import first_steps
from apps.dashboard.pages.naming import app_choices, function_choices
from apps.dashboard.pages.run_detail import RunPage
from apps.dashboard.pages.run_list import run_list
from apps.dashboard.permissions import requires
from apps.dashboard.presenters.statuses import STATUS_FILTERS
from apps.dashboard.selectors.keyset import position
from apps.dashboard.selectors.runs import parse_cursor
from apps.dashboard.snippets import app_snippets, event_snippet, origin
from apps.dashboard.tenant import access_of, environment_of
from apps.engine.store.client import RedisUnavailable
from apps.realtime.topics import run_topic, runs_topic
from apps.registry.selectors import is_any_app_synced
from apps.runs import selectors
from apps.runs.exceptions import RunError
from apps.runs.models import Run
from apps.runs.services import CancelResult, run_cancel, run_rerun
from apps.tenancy.permissions import Permission

UNREACHABLE: Final = "Redis is not reachable at the moment. Try again."
_PARTS: Final = ("input", "output", "error")


@require_GET
@requires(Permission.VIEW)
def runs(request: HttpRequest) -> HttpResponse:
    environment = environment_id(request)
    filters = run_filters(request.GET)
    path = reverse("dashboard:runs")
    context = {
        "page": run_list(environment, filters, position(request.GET, parse_cursor), path),
        "filters": filters,
        "live_topic": runs_topic(environment),
        "status_choices": STATUS_FILTERS,
        "range_choices": RANGES,
        "function_choices": lambda: function_choices(environment),
        "app_choices": lambda: app_choices(environment),
        "is_any_app_synced": lambda: is_any_app_synced(environment),
        "snippets": lambda: app_snippets(request),
        "event_snippet": lambda: event_snippet(request),
        "steps": lambda: first_steps(access_of(request), environment_of(request), origin(request)),
        "is_server": settings.STEPWELL_MODE != "dev",
    }
    response = render_page(
        request, "runs/list.html", context, section="runs", fragments={"runs-list": "runs/_list.html"}
    )
    return with_filters_in_url(
        request, response, "run-filters", reverse("dashboard:runs", query=filters.query())
    )


def with_filters_in_url(request: HttpRequest, response: HttpResponse, form_id: str, url: str) -> HttpResponse:
    """When the filter form asked for the fragment, the browser's address becomes the filtered one."""
    if is_fragment(request) and request.headers.get("HX-Trigger") == form_id:
        response["HX-Push-Url"] = url
    return response


@require_GET
@requires(Permission.VIEW)
def run(request: HttpRequest, run_id: str) -> HttpResponse:
    row = known_run(request, run_id)
    page = RunPage(
        row.environment_id, row, request.GET, shows_data=access_of(request).has(Permission.DATA_READ)
    )
    context = {"page": page, "run": page.view, "live_topic": run_topic(run_id)}
    fragments = {"run": "runs/_run.html", "run-timeline": "runs/_timeline.html"}
    return render_page(request, "runs/page.html", context, section="runs", fragments=fragments)


@require_GET
@requires(Permission.DATA_READ)
def run_payload(request: HttpRequest, run_id: str) -> HttpResponse:
    """One payload as a file: of the run, or with `step` and `attempt` of an attempt."""
    row = known_run(request, run_id)
    part = request.GET.get("part", "output")
    text = _payload(row, request, part) if part in _PARTS else None
    if text is None:
        raise Http404("no such payload")
    audit_download(request, "run", run_id, {"part": part, "step": request.GET.get("step", "")})
    return json_file(text, f"{run_id}-{part}.json")


def json_file(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _payload(row: Run, request: HttpRequest, part: str) -> str | None:
    step = request.GET.get("step")
    if step is None:
        return selectors.run_output(row.environment_id, row.run_id)
    attempt = request.GET.get("attempt", "0")
    if not attempt.isdecimal() or len(attempt) > 6:
        return None
    payload = selectors.step_payload(row.environment_id, row.run_id, step, int(attempt))
    texts = {"input": payload.input, "output": payload.output, "error": payload.error} if payload else {}
    return texts.get(part)


@require_http_methods(["GET", "POST"])
@requires(Permission.RUN_CANCEL)
def cancel(request: HttpRequest, run_id: str) -> HttpResponse:
    row = known_run(request, run_id)
    error = ""
    if request.method == "POST":
        try:
            result = run_cancel(row.environment_id, run_id, "from the dashboard")
        except (RunError, RedisUnavailable) as problem:
            error = _refusal(problem)
        else:
            audit_run(request, "run.cancel", run_id)
            _report_cancel(request, result)
            return redirect(request, reverse("dashboard:run", args=[run_id]))
    context = {
        "dialog_title": "Cancel this run?",
        "text": "The step that is being called finishes, its result is dropped, and no other step starts.",
        "action": reverse("dashboard:run-cancel", args=[run_id]),
        "back_label": "Keep it running",
        "confirm_label": "Cancel run",
        "confirm_icon": "circle-stop",
        "confirm_class": "button-danger-solid",
        "is_danger": True,
    }
    return _confirmation(request, run_id, context, error)


def _report_cancel(request: HttpRequest, result: CancelResult) -> None:
    if result is CancelResult.ALREADY_ENDED:
        messages.info(request, "The run had ended already.")
    else:
        messages.success(request, "The run was cancelled.")


@require_http_methods(["GET", "POST"])
@requires(Permission.RUN_RERUN)
def rerun(request: HttpRequest, run_id: str) -> HttpResponse:
    """Of the whole run, or with `step` in the URL from that step on."""
    row = known_run(request, run_id)
    step = request.GET.get("step", "")
    error = ""
    if request.method == "POST":
        try:
            new_id = run_rerun(row.environment_id, run_id, step or None)
        except (RunError, RedisUnavailable) as problem:
            error = _refusal(problem)
        else:
            audit_run(request, "run.rerun", run_id, {"new_run": new_id, "step": step})
            messages.success(request, "The rerun has started.")
            return redirect(request, reverse("dashboard:run", args=[new_id]))
    return _confirmation(request, run_id, _rerun_texts(run_id, step), error)


def _rerun_texts(run_id: str, step: str) -> dict[str, object]:
    whole = "A new run starts with the same events and the function's latest configuration."
    kept = "A new run starts at this step. The results of the steps before it are kept."
    return {
        "dialog_title": "Rerun from this step?" if step else "Rerun?",
        "text": kept if step else whole,
        "action": reverse("dashboard:run-rerun", args=[run_id], query={"step": step} if step else None),
        "back_label": "Close",
        "confirm_label": "Rerun",
        "confirm_icon": "rotate-ccw",
        "confirm_class": "button-primary",
        "is_danger": False,
    }


def _confirmation(request: HttpRequest, run_id: str, context: dict[str, object], error: str) -> HttpResponse:
    back = {"back_url": reverse("dashboard:run", args=[run_id]), "error": error}
    status = 422 if error else 200
    return render_dialog(request, "confirm.html", {**context, **back}, section="runs", status=status)


def _refusal(problem: Exception) -> str:
    if isinstance(problem, RedisUnavailable):
        return UNREACHABLE
    text = str(problem)
    return f"{text[:1].upper()}{text[1:]}."


def known_run(request: HttpRequest, run_id: str) -> Run:
    """Raises Http404."""
    row = selectors.run_get(environment_id(request), run_id)
    if row is None:
        raise Http404("no such run")
    return row
