"""The test tool of webhooks: scripts that are not saved, on payloads that nobody sent (spec 05, 2.5)."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.dashboard.auditing import audit_events_sent
from apps.dashboard.fragments import redirect, render_page
from apps.dashboard.pages.sending import events_send
from apps.dashboard.pages.webhook_tests import test_delivery
from apps.dashboard.presenters.diffs import diff_lines
from apps.dashboard.tenant import access_of, environment_of
from apps.dashboard.views.manage.entering import manage_page
from apps.dashboard.views.manage.webhooks import SECTION, SHARED, url_of, webhook_of
from apps.dashboard.views.runs import UNREACHABLE
from apps.engine.store.client import RedisUnavailable
from apps.tenancy.exceptions import TenancyError
from apps.tenancy.permissions import Permission
from apps.webhooks.models import Webhook
from apps.webhooks.services import testing

TARGET = "webhook-result"


@require_POST
@manage_page(Permission.WEBHOOK_MANAGE, shared=SHARED, section=SECTION)
def test(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Of one payload, or with `all` of the last deliveries."""
    row = webhook_of(request, webhook_id)
    try:
        context = _all(request, row) if request.POST.get("all") else _one(request, row)
    except TenancyError as refused:
        context = {"problem": str(refused)}
    fragments = {TARGET: "manage/_test_result.html"}
    page = {**context, "back_url": url_of(row)}
    return render_page(request, "manage/test_result.html", page, section=SECTION, fragments=fragments)


@require_POST
@manage_page(Permission.WEBHOOK_MANAGE, shared=SHARED, section=SECTION)
def send(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """What the script makes of the payload, as real events."""
    row = webhook_of(request, webhook_id)
    try:
        access_of(request).require(Permission.EVENT_SEND)
        result = testing.transform_test(
            account_id=row.key.account_id,
            transform=request.POST.get("transform", ""),
            delivery=test_delivery(request.POST),
        )
        if result.error or result.is_dropped:
            messages.error(request, result.error or "The transform drops this payload, so nothing was sent.")
            return redirect(request, url_of(row))
        sent = events_send(environment_of(request), result.output)
    except RedisUnavailable:
        messages.error(request, UNREACHABLE)
        return redirect(request, url_of(row))
    except (TenancyError, ValueError) as refused:
        messages.error(request, str(refused))
        return redirect(request, url_of(row))
    audit_events_sent(request, sent)
    messages.success(request, "Event sent." if len(sent) == 1 else f"{len(sent)} events sent.")
    return redirect(request, reverse("dashboard:events"))


def _one(request: HttpRequest, row: Webhook) -> dict[str, object]:
    transform, delivery = request.POST.get("transform", ""), test_delivery(request.POST)
    if transform.strip() == row.transform.strip():
        result = testing.transform_test(account_id=row.key.account_id, transform=transform, delivery=delivery)
        return {"result": result}
    compared = testing.transform_compare(webhook=row, transform=transform, delivery=delivery)
    return {
        "result": compared.edited,
        "diff": diff_lines(_outcome(compared.saved), compared.edited.output) if compared.edited.is_ok else (),
        "script_diff": diff_lines(row.transform, transform),
    }


def _outcome(result: testing.TestResult) -> str:
    return result.output or result.error


def _all(request: HttpRequest, row: Webhook) -> dict[str, object]:
    access_of(request).require(Permission.DATA_READ)
    results = testing.transform_test_deliveries(webhook=row, transform=request.POST.get("transform", ""))
    shown = [(f"{delivery.received_at:%d %b, %H:%M:%S}", result) for delivery, result in results]
    failed = sum(not result.is_ok for _, result in shown)
    return {"results": shown, "failed": failed}
