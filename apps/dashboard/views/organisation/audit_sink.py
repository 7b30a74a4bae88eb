"""Where the audit log of an organisation is sent on to (spec 05, 2.8)."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.audit.http import actor_of
from apps.audit_sinks.selectors import SinkStatus, sink_status
from apps.audit_sinks.services import sink_remove, sink_set
from apps.dashboard.forms import Field, Form, change, render_form
from apps.dashboard.fragments import render_dialog
from apps.dashboard.places import organisation_url
from apps.dashboard.views.organisation.audit import SECTION
from apps.dashboard.views.organisation.entering import organisation_page
from apps.tenancy.access import Access
from apps.tenancy.exceptions import TenancyError
from apps.tenancy.permissions import Permission


@sensitive_post_parameters("url")
@require_http_methods(["GET", "POST"])
@organisation_page(Permission.ACCOUNT_MANAGE)
def save(request: HttpRequest, access: Access) -> HttpResponse:
    """The URL, and then the secret, which is shown once."""
    url, current = request.POST.get("url", "").strip(), sink_status(access.account)
    form = _form(request, access, url, current)
    if request.method == "GET":
        return render_form(request, form, SECTION)
    try:
        secret = sink_set(account=access.account, url=url, actor=actor_of(request))
    except TenancyError as refused:
        return render_form(request, form, SECTION, refused)
    context = {"dialog_title": "The audit log is sent on", "secret": secret, "back_url": _back(access)}
    return render_dialog(request, "organisation/audit_sink_made.html", context, section=SECTION)


@require_http_methods(["GET", "POST"])
@organisation_page(Permission.ACCOUNT_MANAGE)
def remove(request: HttpRequest, access: Access) -> HttpResponse:
    current = sink_status(access.account)
    if current is None:
        raise Http404("no such sink")
    form = Form(
        title=f"Stop sending to {current.host}?",
        action=request.path,
        back_url=_back(access),
        submit="Stop",
        icon="circle-stop",
        text="Entries that it has not taken yet are not sent. The log itself keeps all.",
        is_danger=True,
    )
    return change(
        request,
        form,
        SECTION,
        lambda: sink_remove(account=access.account, actor=actor_of(request)),
        "The audit log is not sent on any more.",
    )


def _form(request: HttpRequest, access: Access, url: str, current: SinkStatus | None) -> Form:
    goes_on = "It goes on where it is, with a new secret." if current else "Entries are sent from now on."
    return Form(
        title="Send the audit log on",
        action=request.path,
        back_url=_back(access),
        submit="Send it there",
        icon="send",
        fields=[
            Field(
                "url",
                "URL of the collector",
                url,
                "url",
                "It gets each entry by POST, one JSON object a line, in order and signed.",
                placeholder="https://collector.example/audit",
            )
        ],
        text=goes_on,
    )


def _back(access: Access) -> str:
    return organisation_url(access.account, "audit")
