"""An audit log is sent on: in order, signed, each entry at least once, later and later while it fails; on
both databases."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.audit.models import AuditEntry
from apps.audit.services import SYSTEM, audit_record
from apps.audit_sinks import outgoing
from apps.audit_sinks.models import AuditSink
from apps.audit_sinks.outgoing import CLAIM, claim_due, retry_after, settle
from apps.audit_sinks.selectors import sink_status
from apps.audit_sinks.services import BadSinkUrl, secrets_rekey, sink_remove, sink_set
from apps.audit_sinks.streaming import AuditStreamer, open_transport, stream_due
from apps.credentials import secrets
from apps.engine.protocol import signing
from apps.tenancy.exceptions import NotFound
from apps.tenancy.models import Account

pytestmark = pytest.mark.usefixtures("default_database")


class Collector:
    """A server on loopback that keeps what it was sent, and answers with `status`."""

    def __init__(self) -> None:
        self.status = 204
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                collector.signatures.append(self.headers["X-Stepwell-Signature"])
                self.send_response(collector.status)
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/audit?token=topsecret"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def numbers(self) -> list[int]:
        lines = [line for body in self.bodies for line in body.decode().splitlines()]
        return [json.loads(line)["number"] for line in lines]


@pytest.fixture
def collector(settings: Settings) -> Iterator[Collector]:
    settings.STEPWELL_ALLOW_PRIVATE_NETWORKS = True
    made = Collector()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def account() -> Account:
    made = Account.objects.create(name="Acme", slug="acme")
    record(made.id, 3)
    return made


def record(account_id: UUID, count: int) -> None:
    for _ in range(count):
        audit_record(account_id=account_id, actor=SYSTEM, action="member.role")


Stream = Callable[[], None]


@pytest.fixture
def stream(collector: Collector) -> Stream:
    """One round of the service, in which every sink is due."""

    def round_() -> None:
        AuditSink.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        asyncio.run(_round())

    return round_


async def _round() -> None:
    transport = open_transport()
    with ThreadPoolExecutor(1) as thread:
        await stream_due(transport, thread)
        await transport.close()
        thread.submit(connections.close_all)


def status_of(account: Account) -> tuple[int, int, str]:
    found = sink_status(account)
    assert found is not None
    return found.cursor, found.failures, found.last_error


def set_up(account: Account, collector: Collector) -> str:
    """From entry 4 on, which tells of the sink."""
    return sink_set(account=account, url=collector.url, actor=SYSTEM)


def test_entries_from_now_on_are_sent_in_order_and_signed(
    account: Account, collector: Collector, stream: Stream
) -> None:
    secret = set_up(account, collector)
    stream()
    record(account.id, 2)
    stream()
    stream()
    assert [body.count(b"\n") for body in collector.bodies] == [1, 2]
    assert collector.numbers == [4, 5, 6]
    for body, signature in zip(collector.bodies, collector.signatures, strict=True):
        now = int(timezone.now().timestamp())
        assert signing.verify(signature, body, [secret], now)
        assert not signing.verify(signature, body, ["another"], now)
    last = json.loads(collector.bodies[-1].splitlines()[-1])
    entry = AuditEntry.objects.get(account_id=account.id, number=6)
    assert (last["hash"], last["previous_hash"]) == (entry.hash, entry.previous_hash)
    assert status_of(account) == (6, 0, "")


def test_batches_are_bounded(
    account: Account, collector: Collector, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "BATCH", 2)
    set_up(account, collector)
    record(account.id, 4)
    for _ in range(4):
        stream()
    assert [body.count(b"\n") for body in collector.bodies] == [2, 2, 1]
    assert collector.numbers == [4, 5, 6, 7, 8]


@pytest.mark.parametrize("status", [302, 404, 503])
def test_what_was_not_taken_comes_again(
    account: Account, collector: Collector, stream: Stream, status: int
) -> None:
    set_up(account, collector)
    collector.status = status
    for failures in (1, 2):
        stream()
        error = f"it answered with status {status}"
        assert status_of(account) == (3, failures, error)
    record(account.id, 1)
    collector.status = 200
    stream()
    assert collector.numbers == [4, 4, 4, 5]
    assert status_of(account) == (5, 0, "")


def test_private_addresses_are_refused_where_the_server_does(
    account: Account, collector: Collector, settings: Settings
) -> None:
    set_up(account, collector)
    settings.STEPWELL_ALLOW_PRIVATE_NETWORKS = False
    asyncio.run(_round())
    cursor, failures, error = status_of(account)
    assert (cursor, failures, collector.bodies) == (3, 1, [])
    assert "loopback" in error


def test_errors_do_not_tell_the_url(account: Account, collector: Collector, stream: Stream) -> None:
    set_up(account, collector)
    collector.server.shutdown()
    collector.server.server_close()
    stream()
    sink = AuditSink.objects.get()
    assert sink.failures == 1
    assert sink.last_error
    stored = repr([*AuditSink.objects.values(), *AuditEntry.objects.values()])
    assert "topsecret" not in stored


def test_it_is_tried_later_and_later_and_never_given_up() -> None:
    waits = [retry_after(failures).total_seconds() for failures in (1, 2, 3, 8, 11, 1000)]
    assert waits == [5, 10, 20, 640, 3600, 3600]


def test_a_failure_is_not_due_before_its_time(account: Account, collector: Collector) -> None:
    set_up(account, collector)
    (first,) = claim_due()
    settle(first, "no")
    assert claim_due() == []
    due = AuditSink.objects.get().due_at - timezone.now()
    assert timedelta(seconds=3) < due <= timedelta(seconds=5)


def test_one_process_at_a_time_sends_and_whoever_dies_is_followed(
    account: Account, collector: Collector
) -> None:
    set_up(account, collector)
    (first,) = claim_due()
    assert claim_due() == []
    AuditSink.objects.update(due_at=timezone.now() - CLAIM)
    (again,) = claim_due()
    assert (again.cursor, again.last, again.body) == (first.cursor, first.last, first.body)
    settle(again, "")
    record(account.id, 1)
    (following,) = claim_due()
    settle(first, "too late")
    settle(first, "")
    assert status_of(account) == (4, 0, "")
    assert (following.cursor, following.last) == (4, 5)


def test_each_organisation_has_its_own_and_nothing_is_sent_without_one(
    account: Account, collector: Collector
) -> None:
    other = Account.objects.create(name="Globex", slug="globex")
    record(other.id, 2)
    assert claim_due() == []
    set_up(account, collector)
    (only,) = claim_due()
    assert only.account_id == account.id
    assert str(other.id).encode() not in only.body


def test_setting_it_up_changing_and_ending_it_are_on_record(account: Account, collector: Collector) -> None:
    first = set_up(account, collector)
    second = sink_set(account=account, url="https://collector.example:8443/in", actor=SYSTEM)
    assert first != second
    assert AuditSink.objects.get().cursor == 3
    sink_remove(account=account, actor=SYSTEM)
    with pytest.raises(NotFound):
        sink_remove(account=account, actor=SYSTEM)
    entries = AuditEntry.objects.filter(action__startswith="audit.sink").order_by("number")
    port = collector.server.server_port
    host, other = f"127.0.0.1:{port}", "collector.example:8443"
    assert [(entry.action, entry.before, entry.after) for entry in entries] == [
        ("audit.sink_set", {"host": None}, {"host": host}),
        ("audit.sink_set", {"host": host}, {"host": other}),
        ("audit.sink_remove", {"host": other}, {}),
    ]


@pytest.mark.parametrize(
    "url",
    [
        *("", "collector.example", "ftp://collector.example/", "http://collector.example/"),
        *("https://", "https://user:pw@collector.example/", "https://collector.example:x/"),
        *("https://collector.example/a b", "https://collector.example/" + "x" * 2_000),
    ],
)
def test_only_https_urls_are_taken(account: Account, settings: Settings, url: str) -> None:
    settings.STEPWELL_ALLOW_PRIVATE_NETWORKS = False
    with pytest.raises(BadSinkUrl):
        sink_set(account=account, url=url, actor=SYSTEM)
    assert not AuditSink.objects.exists()


def test_a_new_encryption_key_is_taken_over(
    account: Account, collector: Collector, settings: Settings
) -> None:
    settings.STEPWELL_ENCRYPTION_KEYS = ["old"]
    secret = set_up(account, collector)
    settings.STEPWELL_ENCRYPTION_KEYS = ["new", "old"]
    assert secrets_rekey() == (1, 0)
    settings.STEPWELL_ENCRYPTION_KEYS = ["new"]
    (found,) = claim_due()
    assert (found.url, found.secret) == (collector.url, secret)
    settings.STEPWELL_ENCRYPTION_KEYS = ["another"]
    AuditSink.objects.update(due_at=timezone.now() - CLAIM)
    assert claim_due() == []
    assert "encrypted with a key" in status_of(account)[2]
    assert secrets_rekey() == (0, 1)
    with pytest.raises(secrets.SecretUnreadable):
        secrets.decrypt(AuditSink.objects.get().url_encrypted)


def test_the_service_sends_until_it_is_stopped(account: Account, collector: Collector) -> None:
    set_up(account, collector)
    asyncio.run(_serve_until(lambda: bool(collector.bodies)))
    assert collector.numbers == [4]


async def _serve_until(is_done: Callable[[], bool]) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(AuditStreamer().run(stop))
    async with asyncio.timeout(20):
        while not is_done():
            await asyncio.sleep(0.02)
    stop.set()
    await running
