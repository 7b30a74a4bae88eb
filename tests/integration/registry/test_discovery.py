"""Polling and discovery (spec 01 12.3 and 12.4, spec 03 9.6)."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from pytest_django.fixtures import Settings

from apps.credentials.signing import KeySet
from apps.registry import ping_outcome, port_scan, selectors
from apps.registry.models import App
from apps.registry.ping_outcome import HEALTHY, PingOutcome
from apps.registry.selectors import PollTarget, SyncMark
from apps.registry.services import apps, discovery, ping
from apps.registry.services.discovery import AppPoller
from apps.tenancy.models import DEV_ENVIRONMENT_ID
from tests.conftest import free_port
from tests.integration.registry.conftest import RecordingEngine, Register
from tests.integration.registry.local_app import LocalApp, Received, Reply, local_app
from tests.unit.registry.bodies import URL, function, register_body

DEADLINE_SECONDS = 10
OTHER_URL = "http://app.test/api/inngest"
SDK = {"X-Inngest-SDK": "inngest-js:v4.24.0"}


class StubPings:
    """Pings without database and network: `sent` holds the URLs in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[str] = []
        self.finished: list[PingOutcome] = []
        self.targets: list[PollTarget] = []
        self.hanging: set[str] = set()
        monkeypatch.setattr(discovery, "_due_targets", lambda: self.targets)
        monkeypatch.setattr(ping, "begin", self._begin)
        monkeypatch.setattr(ping, "send", self._send)
        monkeypatch.setattr(ping, "finish", self._finish)

    def add(self, url: str, error: str = "") -> None:
        self.targets.append(PollTarget(DEV_ENVIRONMENT_ID, url, error))

    def _begin(self, environment_id: UUID, url: str) -> ping.PendingPing:
        return ping.PendingPing(environment_id, url, SyncMark(None, 0))

    async def _send(self, url: str, keys: KeySet) -> PingOutcome:
        self.sent.append(url)
        if url in self.hanging:
            await asyncio.Event().wait()
        return HEALTHY

    def _finish(self, pending: ping.PendingPing, reply: PingOutcome) -> ping.PingResult:
        self.finished.append(reply)
        return ping.PingResult(reply, None)


@pytest.fixture
def pings(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> StubPings:
    settings.STEPWELL_SDK_URLS = []
    settings.STEPWELL_DISCOVERY = False
    settings.STEPWELL_POLL_INTERVAL = 0.01
    return StubPings(monkeypatch)


@asynccontextmanager
async def running_poller() -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(AppPoller().run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, DEADLINE_SECONDS)


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "not reached in time"
        await asyncio.sleep(0.005)


async def test_every_app_is_pinged_each_interval(pings: StubPings) -> None:
    pings.add(URL)
    pings.add(OTHER_URL)
    async with running_poller():
        await until(lambda: pings.sent.count(URL) >= 3 and pings.sent.count(OTHER_URL) >= 3)

    assert set(pings.finished) == {HEALTHY}


async def test_app_that_hangs_holds_up_neither_the_others_nor_the_stop(pings: StubPings) -> None:
    pings.add(URL)
    pings.add(OTHER_URL)
    pings.hanging.add(URL)
    async with running_poller():
        await until(lambda: pings.sent.count(OTHER_URL) >= 3)

    assert pings.sent.count(URL) == 1


async def test_failure_of_one_ping_is_logged_and_the_next_goes_on(
    pings: StubPings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pings.add(URL)
    begin = ping.begin
    calls: list[str] = []

    def fail_once(environment_id: UUID, url: str) -> ping.PendingPing:
        calls.append(url)
        if len(calls) == 1:
            raise RuntimeError("boom")
        return begin(environment_id, url)

    monkeypatch.setattr(ping, "begin", fail_once)
    with caplog.at_level(logging.ERROR, logger=discovery.__name__):
        async with running_poller():
            await until(lambda: len(pings.finished) >= 1)

    assert [record.getMessage() for record in caplog.records] == [
        f"polling {DEV_ENVIRONMENT_ID} {URL} failed"
    ]


async def test_dead_local_app_costs_a_connection_attempt_only(pings: StubPings) -> None:
    with local_app() as app:
        alive = app.url()
        dead = f"http://localhost:{free_port()}/api/inngest"
        pings.add(dead, ping_outcome.UNREACHABLE)
        pings.add(alive, ping_outcome.UNREACHABLE)
        async with running_poller():
            await until(lambda: len(pings.sent) >= 3)

    assert set(pings.sent) == {alive}


@pytest.fixture
def scanned_app(monkeypatch: pytest.MonkeyPatch, settings: Settings, pings: StubPings) -> Iterator[LocalApp]:
    settings.STEPWELL_DISCOVERY = True
    monkeypatch.delenv("PORT", raising=False)
    with local_app() as app:
        monkeypatch.setattr(port_scan, "PORTS", (free_port(), app.port))
        yield app


async def test_discovery_pings_the_first_path_that_is_an_app(
    scanned_app: LocalApp, pings: StubPings, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[tuple[str, ping.PingResult]] = []
    monkeypatch.setattr(selectors, "is_any_app_synced", lambda _: bool(found))
    monkeypatch.setattr(apps, "app_discovered", lambda _, url, result: found.append((url, result)))
    scanned_app.reply = lambda received: Reply(200, SDK if received.path == "/x/inngest" else {})
    url = f"http://localhost:{scanned_app.port}/x/inngest"
    async with running_poller():
        await until(lambda: bool(found))

    assert found == [(url, ping.PingResult(HEALTHY, None))]
    assert pings.sent == [url]
    assert [item.path for item in scanned_app.received] == ["/api/inngest", "/x/inngest"]


async def test_discovery_rests_while_an_app_is_synced(
    scanned_app: LocalApp, pings: StubPings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[UUID] = []

    def is_any_app_synced(environment_id: UUID) -> bool:
        asked.append(environment_id)
        return True

    monkeypatch.setattr(selectors, "is_any_app_synced", is_any_app_synced)
    async with running_poller():
        await until(lambda: len(asked) >= 3)

    assert scanned_app.received == []
    assert pings.sent == []


def test_ports_of_discovery(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.STEPWELL_BASE_URL = "http://127.0.0.1:8000"
    monkeypatch.setenv("PORT", "4711")
    ports = discovery._candidate_ports()

    expected = {
        80,
        443,
        *range(3000, 3011),
        4321,
        5000,
        5173,
        8080,
        8081,
        8787,
        8888,
        *range(8910, 8916),
        4711,
    }
    assert ports == sorted(expected)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_discovered_app_is_registered(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, engine: RecordingEngine
) -> None:
    """Threads, database and sockets together: the app answers in band."""
    settings.STEPWELL_DISCOVERY = True
    settings.STEPWELL_POLL_INTERVAL = 60
    note, noted = apps.app_discovered, list[str]()

    def app_discovered(environment_id: UUID, url: str, result: ping.PingResult) -> None:
        note(environment_id, url, result)
        noted.append(url)

    monkeypatch.setattr(apps, "app_discovered", app_discovered)

    def reply(received: Received) -> Reply:
        if received.method == "GET":
            return Reply(200, SDK)
        return Reply(200, SDK | {"X-Inngest-Sync-Kind": "in_band"}, register_body(function()))

    async def discover() -> None:
        async with running_poller():
            await until(lambda: bool(noted))

    with local_app() as app:
        app.reply = reply
        monkeypatch.setattr(port_scan, "PORTS", (app.port,))
        asyncio.run(discover())

    stored = App.objects.get()
    assert (stored.name, stored.error, stored.autodiscovered) == ("shop", "", True)
    assert engine.published == [(["shop-f"], [])]


def test_configured_urls_become_placeholders(
    db: None, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.STEPWELL_SDK_URLS = [URL, "http://127.0.0.1:3000/api/inngest", "localhost:4000/x", "http://"]
    discovery._ensure_configured_apps()
    discovery._ensure_configured_apps()

    rows = App.objects.order_by("url").values_list("url", "name", "error", "autodiscovered")
    assert list(rows) == [
        (URL, "", "unreachable", False),
        ("http://localhost:4000/x", "", "unreachable", False),
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "the app URL 'http://' is not usable: invalid URL: it names no host"
    ] * 2


def test_targets_are_unique_and_only_failing_ones_without_polling(
    register: Register, settings: Settings
) -> None:
    register(register_body(function()))
    register(register_body(function("other-f"), appName="other", url="http://127.0.0.1:3000/api/inngest"))
    apps.placeholder_ensure(DEV_ENVIRONMENT_ID, "http://localhost:4000/x")

    settings.STEPWELL_POLL = True
    assert len(discovery._due_targets()) == 2
    settings.STEPWELL_POLL = False
    assert [target.url for target in discovery._due_targets()] == ["http://localhost:4000/x"]


@pytest.mark.parametrize(
    ("outcome", "stored"),
    [(PingOutcome("unauthorized", "Unauthorized"),) * 2, (HEALTHY, ping.UNINITIALIZED)],
)
def test_discovered_app_that_did_not_register_stays_visible(
    db: None, outcome: PingOutcome, stored: PingOutcome
) -> None:
    apps.app_discovered(DEV_ENVIRONMENT_ID, URL, ping.PingResult(outcome, None))

    app = App.objects.get()
    assert (app.name, app.url, app.autodiscovered) == ("", URL, True)
    assert (app.error, app.error_detail) == (stored.code, stored.detail)


def test_discovered_app_that_synced_is_marked(register: Register) -> None:
    register(register_body(function()))
    apps.app_discovered(
        DEV_ENVIRONMENT_ID, "http://localhost:4000/x", ping.PingResult(HEALTHY, App.objects.get())
    )

    assert App.objects.values_list("name", "autodiscovered", "error").get() == ("shop", True, "")


def test_discovered_app_that_synced_under_another_url_leaves_no_placeholder(register: Register) -> None:
    register(register_body(function()))
    apps.app_discovered(DEV_ENVIRONMENT_ID, "http://localhost:4000/x", ping.PingResult(HEALTHY, None))

    assert App.objects.count() == 1
