"""The delivery log: what it keeps, and how much."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from apps.webhooks import log
from apps.webhooks.choices import Outcome
from apps.webhooks.log import (
    KEEP_ROWS,
    KEEP_SAMPLED,
    MAX_BODY_BYTES,
    MAX_ROWS_EACH,
    DeliveryBuffer,
    DeliveryWriter,
    deliveries_expire,
    deliveries_write,
)
from apps.webhooks.models import Delivery, Webhook
from apps.webhooks.selectors import deliveries_page, delivery_by_id, sample_deliveries
from tests.integration.credentials.world import Organisation, organisation
from tests.integration.webhooks.world import Hook, counts, hook, last_delivery, logged, make_hook

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def delivery(found: Hook, number: int, outcome: Outcome = Outcome.ACCEPTED, body: bytes = b"{}") -> Delivery:
    return Delivery(
        id=f"{number:026d}",
        webhook=found.webhook,
        environment_id=found.webhook.key.environment_id,
        received_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
        method="POST",
        status=200,
        outcome=outcome,
        body=body,
        body_bytes=len(body),
    )


def write(*rows: Delivery) -> None:
    buffer = DeliveryBuffer()
    for row in rows:
        buffer.note(row)
    deliveries_write(buffer.take())


def numbers(found: Hook) -> list[int]:
    ids = Delivery.objects.filter(webhook=found.webhook).order_by("id").values_list("id", flat=True)
    return [int(one) for one in ids]


async def test_what_is_kept_of_a_delivery(web: httpx.AsyncClient, acme: Organisation) -> None:
    environment = await sync_to_async(lambda: acme.production)()
    found = await hook(environment, "const transform = () => ({name: 'a/b', data: {}, id: 'own'});")
    headers = {"x-plain": "p\x00lain", "x-api-key": "k", "cookie": "c=1", "content-type": "text/plain"}
    answer = await web.post(f"{found.url}?token=t&tag=x", content=b"a\x00\xff", headers=headers)
    assert answer.status_code == 200
    kept = await last_delivery(found)
    assert (kept.status, kept.outcome, kept.method, kept.ip) == (200, "accepted", "POST", "203.0.113.7")
    assert (kept.event_names, kept.event_ids) == (["a/b"], answer.json()["ids"])
    assert (bytes(kept.body), kept.body_bytes, kept.is_truncated) == (b"a\x00\xff", 3, False)
    assert kept.query == {"token": ["[redacted]"], "tag": ["x"]}
    assert {name: kept.headers[name] for name in ("X-Plain", "X-Api-Key", "Cookie")} == {
        "X-Plain": "plain",
        "X-Api-Key": "[redacted]",
        "Cookie": "[redacted]",
    }
    assert kept.environment_id == environment.id
    assert abs(kept.received_at - timezone.now()) < timedelta(minutes=1)
    row = await sync_to_async(lambda: Webhook.objects.get(key_id=found.webhook.key_id))()
    assert (row.last_delivery_at, row.delivery_count) == (kept.received_at, 1)


async def test_a_large_body_is_kept_in_part(acme: Organisation) -> None:
    body = b"x" * (MAX_BODY_BYTES + 10)
    assert len(log.capped(body)) == MAX_BODY_BYTES


def test_the_last_rows_are_kept(acme: Organisation) -> None:
    found = make_hook(acme.production)
    for start in range(0, KEEP_ROWS + 30, MAX_ROWS_EACH):
        write(*(delivery(found, number) for number in range(start, start + MAX_ROWS_EACH)))
    kept = numbers(found)
    assert (len(kept), kept[-1] - kept[0]) == (KEEP_ROWS, KEEP_ROWS - 1)


def test_rows_of_forgeries_are_bounded_apart(acme: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MAX_SAMPLED_EACH", 1000)
    found = make_hook(acme.production)
    write(*(delivery(found, number) for number in range(10)))
    write(*(delivery(found, 100 + number, Outcome.UNVERIFIED) for number in range(KEEP_SAMPLED + 50)))
    kept = numbers(found)
    assert (kept[:10], len(kept)) == (list(range(10)), 10 + KEEP_SAMPLED)


def test_a_busy_webhook_writes_a_bounded_number_of_rows(acme: Organisation) -> None:
    found = make_hook(acme.production)
    write(*(delivery(found, number) for number in range(MAX_ROWS_EACH + 20)))
    assert len(numbers(found)) == MAX_ROWS_EACH
    row = Webhook.objects.get(key_id=found.webhook.key_id)
    assert row.accepted_count == MAX_ROWS_EACH + 20


def test_the_buffer_is_bounded_in_bytes(acme: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MAX_PENDING_BYTES", 100)
    found = make_hook(acme.production)
    write(*(delivery(found, number, body=b"x" * 40) for number in range(5)))
    assert (numbers(found), Webhook.objects.get(key_id=found.webhook.key_id).accepted_count) == ([0, 1], 5)


def test_old_rows_go(acme: Organisation) -> None:
    found = make_hook(acme.production)
    write(delivery(found, 1), delivery(found, 2))
    Delivery.objects.filter(id=f"{2:026d}").update(received_at=timezone.now() - timedelta(days=6))
    assert (deliveries_expire(), numbers(found)) == (1, [2])


def test_a_webhook_that_is_gone_is_passed_over(acme: Organisation) -> None:
    gone, stays = make_hook(acme.production), make_hook(acme.production)
    rows = [delivery(gone, 1), delivery(stays, 2)]
    gone.webhook.delete()
    write(*rows)
    assert numbers(stays) == [2]


def test_counts_add_up(acme: Organisation) -> None:
    found = make_hook(acme.production)
    for outcome in Outcome:
        write(delivery(found, list(Outcome).index(outcome), outcome))
    row = Webhook.objects.get(key_id=found.webhook.key_id)
    assert (row.accepted_count, row.dropped_count, row.failed_count) == (2, 1, 1)
    assert (row.unverified_count, row.refused_count, row.delivery_count) == (1, 5, 10)


async def test_the_writer_flushes(acme: Organisation) -> None:
    buffer = DeliveryBuffer()
    found = await hook(await sync_to_async(lambda: acme.production)())
    buffer.note(delivery(found, 1))
    await DeliveryWriter(buffer).flush()
    assert await counts(found) == {"accepted": 1}
    assert [row.id for row in await logged(found)] == [f"{1:026d}"]
    assert buffer.take() == {}


def test_pages_of_deliveries_leave_bodies_out(acme: Organisation) -> None:
    found = make_hook(acme.production)
    write(*(delivery(found, number) for number in range(5)))
    first = deliveries_page(found.webhook, limit=2)
    assert [int(row.id) for row in first.deliveries] == [4, 3]
    second = deliveries_page(found.webhook, limit=2, cursor=first.next_cursor)
    third = deliveries_page(found.webhook, limit=2, cursor=second.next_cursor)
    assert ([int(row.id) for row in second.deliveries], third.next_cursor) == ([2, 1], None)
    assert {"headers", "query", "body"} <= first.deliveries[0].get_deferred_fields()


def test_deliveries_of_another_webhook_are_not_found(acme: Organisation, globex: Organisation) -> None:
    ours, theirs = make_hook(acme.production), make_hook(globex.production)
    write(delivery(ours, 1))
    assert delivery_by_id(theirs.webhook, f"{1:026d}") is None
    assert delivery_by_id(ours.webhook, f"{1:026d}") is not None
    assert sample_deliveries(theirs.webhook) == []


def test_samples_are_whole(acme: Organisation) -> None:
    found = make_hook(acme.production)
    cut = delivery(found, 2)
    cut.body_bytes = 10
    write(delivery(found, 1), cut, delivery(found, 3))
    assert [int(row.id) for row in sample_deliveries(found.webhook)] == [3, 1]


@pytest.mark.usefixtures("default_database")
def test_both_databases_keep_what_producers_send() -> None:
    found = make_hook(organisation("Acme").production)
    odd = delivery(found, 1, body=b"\x00\xff")
    odd.headers = log.plain({"X-\0": "a\0\ud800"}.items())
    odd.error = log.cut("\0" + "e" * 2000, 1000)
    write(odd, *(delivery(found, number) for number in range(2, 5)))
    kept = Delivery.objects.get(id=odd.id)
    assert (bytes(kept.body), kept.headers, kept.error) == (b"\x00\xff", {"X-": "a?"}, "e" * 1000)
    assert Webhook.objects.get().accepted_count == 4
