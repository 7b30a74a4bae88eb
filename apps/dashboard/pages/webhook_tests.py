"""The test tool of a webhook: what it begins with, and what a form of it says."""

from dataclasses import dataclass
from typing import Final

from django.http import QueryDict
from django.urls import reverse

from apps.dashboard.moments import in_ms
from apps.tenancy.access import Access
from apps.tenancy.permissions import Permission
from apps.webhooks.models import Delivery, Webhook
from apps.webhooks.presets import DEFAULT_ID, presets
from apps.webhooks.selectors import delivery_by_id, sample_deliveries
from apps.webhooks.services.testing import TestDelivery

MAX_SAMPLES: Final = 50
# Headers of a logged delivery that say nothing to a script.
_DULL: Final = frozenset({"host", "content-length", "connection", "accept-encoding", "content-type"})


@dataclass(frozen=True, slots=True)
class Sample:
    id: str
    received_at: int
    label: str


@dataclass(frozen=True, slots=True)
class TestTool:
    """`payload` to `query` fill its form; `loaded` is the id of the delivery that they come from."""

    payload: str
    content_type: str
    headers: str
    query: str
    loaded: str
    samples: list[Sample]
    url: str
    send_url: str


def test_tool(access: Access, webhook: Webhook, delivery_id: str) -> TestTool:
    may_read = access.has(Permission.DATA_READ)
    found = delivery_by_id(webhook, delivery_id) if delivery_id and may_read else None
    payload, content_type, headers, query = _of_delivery(found) if found else _of_preset(webhook)
    return TestTool(
        payload=payload,
        content_type=content_type,
        headers=headers,
        query=query,
        loaded=found.id if found else "",
        samples=[_sample(row) for row in sample_deliveries(webhook, MAX_SAMPLES)] if may_read else [],
        url=reverse("dashboard:webhook-test", args=[webhook.id]),
        send_url=reverse("dashboard:webhook-send", args=[webhook.id]),
    )


def test_delivery(form: QueryDict) -> TestDelivery:
    return TestDelivery(
        payload=form.get("payload", ""),
        headers=dict(_pairs(form.get("headers", ""), ":")),
        query={name: [value] for name, value in _pairs(form.get("query", ""), "=")},
        content_type=form.get("content_type", "").strip() or "application/json",
    )


def _of_delivery(found: Delivery) -> tuple[str, str, str, str]:
    lower = {name.lower(): value for name, value in found.headers.items()}
    headers = {name: value for name, value in found.headers.items() if name.lower() not in _DULL}
    query = [f"{name}={value}" for name, values in found.query.items() for value in values]
    return (
        bytes(found.body).decode(errors="replace"),
        lower.get("content-type", "application/json"),
        _lines(headers),
        "\n".join(query),
    )


def _of_preset(webhook: Webhook) -> tuple[str, str, str, str]:
    known = presets()
    sample = known.get(webhook.preset, known[DEFAULT_ID]).sample
    query = [f"{name}={value}" for name, values in sample.query.items() for value in values]
    return sample.body, sample.content_type, _lines(sample.headers), "\n".join(query)


def _lines(headers: dict[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def _pairs(text: str, separator: str) -> list[tuple[str, str]]:
    """Lines without a name are passed over."""
    parts = (line.partition(separator) for line in text.splitlines())
    return [(name.strip(), value.strip()) for name, _, value in parts if name.strip()]


def _sample(row: Delivery) -> Sample:
    names = ", ".join(str(name) for name in row.event_names) or row.error or row.outcome
    return Sample(row.id, in_ms(row.received_at), f"{row.received_at:%d %b, %H:%M:%S} · {names[:60]}")
