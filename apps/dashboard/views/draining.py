"""Draining a function (spec 05, 3.2): no run starts any more, those it has go on to their ends."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from apps.dashboard.auditing import audit_function
from apps.dashboard.environment import current_environment, environment_id
from apps.dashboard.forms import Form, render_form
from apps.dashboard.fragments import redirect
from apps.dashboard.pages.functions import known_function, live_function
from apps.dashboard.permissions import requires
from apps.dashboard.views.runs import UNREACHABLE
from apps.engine.store.client import RedisUnavailable
from apps.operations.services import function_drain, function_undrain
from apps.registry.exceptions import FunctionArchived
from apps.registry.models import Function
from apps.tenancy.permissions import Permission


@require_http_methods(["GET", "POST"])
@requires(Permission.FUNCTION_PAUSE)
def drain(request: HttpRequest, slug: str) -> HttpResponse:
    """The switch is stored, and on record, also where the queue could not be told of it yet."""
    row = live_function(environment_id(request), slug)
    form = _form(request, row)
    if request.method == "GET":
        return render_form(request, form, "functions")
    try:
        function_drain(environment=current_environment(request), function_id=row.id)
    except FunctionArchived as problem:
        return render_form(request, form, "functions", str(problem))
    except RedisUnavailable:
        audit_function(request, "function.drain", row)
        return render_form(request, form, "functions", UNREACHABLE)
    audit_function(request, "function.drain", row)
    messages.success(request, f"{row.name} is being drained.")
    return redirect(request, form.back_url)


@require_POST
@requires(Permission.FUNCTION_PAUSE)
def undrain(request: HttpRequest, slug: str) -> HttpResponse:
    row = known_function(environment_id(request), slug)
    try:
        function_undrain(environment=current_environment(request), function_id=row.id)
    except RedisUnavailable:
        messages.error(request, UNREACHABLE)
    else:
        messages.success(request, f"{row.name} starts runs again.")
    audit_function(request, "function.undrain", row)
    return redirect(request, _page(row))


def _form(request: HttpRequest, row: Function) -> Form:
    return Form(
        title=f"Drain {row.name}?",
        action=request.path,
        back_url=_page(row),
        submit="Drain",
        icon="ban",
        text="No run starts until you end it: events that would start one leave a skipped run. "
        "Runs that have begun go on to their ends.",
        back_label="Do not drain",
    )


def _page(row: Function) -> str:
    return reverse("dashboard:function", args=[row.slug])
