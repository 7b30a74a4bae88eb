"""The audit log of an organisation: filtered, read, exported (spec 05, 2.8)."""

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET, require_POST

from apps.audit.exceptions import InvalidCursor
from apps.audit.export import FORMATS, audit_export
from apps.audit.http import actor_of
from apps.audit_sinks.selectors import sink_status
from apps.dashboard.fragments import render_page
from apps.dashboard.gates import gate_of
from apps.dashboard.pages.audit import audit_filters, audit_view, wanted_of
from apps.dashboard.places import organisation_url
from apps.dashboard.views.organisation.entering import organisation_page
from apps.tenancy.access import Access
from apps.tenancy.permissions import Permission
from apps.tenancy.services.retention import kept_days

SECTION = "org-audit"
_TYPES = {"csv": "text/csv", "jsonl": "application/jsonl"}


@require_GET
@organisation_page(Permission.AUDIT_READ)
def audit(request: HttpRequest, access: Access) -> HttpResponse:
    filters = audit_filters(access, request.GET)
    try:
        view = audit_view(access, filters, request.GET.get("after", ""))
    except InvalidCursor:
        raise Http404("no such page") from None
    context = {
        "page": view,
        "filters": filters,
        "kept_days": kept_days(access.account),
        "sink": sink_status(access.account),
        "sink_gate": gate_of(access, Permission.ACCOUNT_MANAGE),
        "sink_url": organisation_url(access.account, "audit-sink"),
        "sink_remove_url": organisation_url(access.account, "audit-sink-remove"),
    }
    fragments = {"audit-list": "organisation/_audit.html"}
    return render_page(request, "organisation/audit.html", context, section=SECTION, fragments=fragments)


@require_POST
@organisation_page(Permission.AUDIT_READ)
def export(request: HttpRequest, access: Access) -> HttpResponse:
    """What the filters of the page let through, line by line; the log tells of the export."""
    name = request.POST.get("format", "")
    if name not in FORMATS:
        raise Http404("no such format")
    lines = audit_export(
        account_id=access.account.id,
        format_name=name,
        actor=actor_of(request),
        wanted=wanted_of(audit_filters(access, request.POST)),
    )
    response = StreamingHttpResponse(lines, content_type=_TYPES[name])
    response["Content-Disposition"] = f'attachment; filename="audit-{access.account.slug}.{name}"'
    return response  # type: ignore[return-value]
