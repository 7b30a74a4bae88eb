"""What is done with the runs that were ticked in the list (spec 05, 3.4)."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from apps.dashboard.auditing import audit_run
from apps.dashboard.environment import environment_id
from apps.dashboard.fragments import redirect, render_dialog
from apps.dashboard.pages.filters import run_filters
from apps.dashboard.pages.run_list import run_views
from apps.dashboard.permissions import requires
from apps.dashboard.presenters.runs import LIST, RunView
from apps.dashboard.selectors.runs import runs_by_id
from apps.dashboard.views.runs import UNREACHABLE
from apps.engine.store.client import RedisUnavailable
from apps.runs.exceptions import RunNotFound
from apps.runs.services import CancelResult, run_cancel
from apps.tenancy.permissions import Permission

MAX_SELECTED: Final = 100
_NAMED: Final = 5


@require_http_methods(["GET", "POST"])
@requires(Permission.RUN_CANCEL_BULK)
def cancel_selected(request: HttpRequest, run_ids: str) -> HttpResponse:
    """`run_ids` are joined by commas. Each cancelled run is on record as one that was cancelled alone."""
    wanted = list(dict.fromkeys(run_ids.split(",")))
    if len(wanted) > MAX_SELECTED:
        return _told(request, "Too many runs", f"At most {MAX_SELECTED} runs are cancelled at once.")
    views = _views(request, wanted)
    live = [view for view in views if not view.has_ended]
    if not live:
        return _told(request, "Nothing to cancel", "All of the selected runs have ended already.")
    error = ""
    if request.method == "POST":
        try:
            count = _cancel(request, live)
        except RedisUnavailable:
            error = UNREACHABLE
        else:
            messages.success(request, _report(count, len(live)))
            return redirect(request, _list_url(request))
    return _confirmation(request, run_ids, live, len(views) - len(live), error)


def _views(request: HttpRequest, wanted: Sequence[str]) -> list[RunView]:
    """Raises Http404 where none is known."""
    environment = environment_id(request)
    rows = runs_by_id(environment, wanted)
    if not rows:
        raise Http404("no such runs")
    return run_views(environment, [rows[run_id] for run_id in wanted if run_id in rows])


def _cancel(request: HttpRequest, live: Sequence[RunView]) -> int:
    """How many were cancelled; some may have ended meanwhile. Raises RedisUnavailable."""
    count = 0
    for view in live:
        try:
            result = run_cancel(environment_id(request), view.run_id, "from the dashboard")
        except RunNotFound:
            continue
        if result is CancelResult.CANCELLED:
            audit_run(request, "run.cancel", view.run_id)
            count += 1
    return count


def _report(count: int, asked: int) -> str:
    said = "1 run was cancelled." if count == 1 else f"{count} runs were cancelled."
    return said if count == asked else f"{said} {asked - count} had ended already."


def _confirmation(
    request: HttpRequest, run_ids: str, live: Sequence[RunView], ended: int, error: str
) -> HttpResponse:
    number = "this run" if len(live) == 1 else f"{len(live)} runs"
    query = {LIST: request.GET[LIST]} if request.GET.get(LIST) else None
    context = {
        "dialog_title": f"Cancel {number}?",
        "text": _consequences(live, ended),
        "action": reverse("dashboard:runs-cancel", args=[run_ids], query=query),
        "back_url": _list_url(request),
        "back_label": "Keep running",
        "confirm_label": "Cancel run" if len(live) == 1 else f"Cancel {len(live)} runs",
        "confirm_icon": "circle-stop",
        "confirm_class": "button-danger-solid",
        "is_danger": True,
        "error": error,
    }
    status = 422 if error else 200
    return render_dialog(request, "confirm.html", context, section="runs", status=status)


def _consequences(live: Sequence[RunView], ended: int) -> str:
    names = Counter(view.function_name for view in live).most_common()
    said = ", ".join(f"{name} ({count})" for name, count in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more functions" if len(names) > _NAMED else ""
    kept = f" {ended} of the selected ended already, and stay as they are." if ended else ""
    how = "Steps that are being called finish, their results are dropped, and no other step starts."
    return f"{said}{more}. {how}{kept}"


def _told(request: HttpRequest, title: str, text: str) -> HttpResponse:
    context = {"dialog_title": title, "refused": text}
    return render_dialog(request, "_refused_dialog.html", context, section="runs", status=422)


def _list_url(request: HttpRequest) -> str:
    filters = run_filters(QueryDict(request.GET.get(LIST, "")))
    return reverse("dashboard:runs", query=filters.query())
