"""Syncs that the server begins (spec 01 4.1 to 4.5); the HTTP exchange itself is in test_sync_client."""

import json
import time
from uuid import UUID

import pytest
from pytest_django.fixtures import Settings

from apps.engine.protocol import signing
from apps.registry import app_urls, identities, selectors, sync_client
from apps.registry.models import App, Function, Sync
from apps.registry.ping_outcome import PingOutcome
from apps.registry.services import apps, ping
from apps.registry.sync_client import Answer
from apps.tenancy.models import DEV_ENVIRONMENT_ID
from tests.integration.registry.conftest import CaptureOnCommit, RecordingEngine, Register
from tests.unit.registry.bodies import URL, function, register_body, sdk_body

KEY = "signkey-test-0123456789abcdef0123456789abcdef"
OTHER_KEY = "signkey-test-ffff456789abcdef0123456789abcdef"
SDK = {"x-inngest-sdk": "inngest-js:v4.24.0"}
IN_BAND = SDK | {"x-inngest-sync-kind": "in_band"}
TS_URL = "http://127.0.0.1:18398/api/inngest"
OK = Answer(200, SDK, b'{"message":"Successfully registered","modified":true}')


class StubApp:
    """What the app at the other end answers; keeps the keyword arguments of each PUT."""

    def __init__(self) -> None:
        self.answer: Answer | sync_client.Unreachable = OK
        self.puts: list[tuple[str, str, str]] = []

    async def put(self, url: str, *, server_kind: str, signing_key: str, policy: object) -> Answer:
        self.puts.append((url, server_kind, signing_key))
        if isinstance(self.answer, sync_client.Unreachable):
            raise self.answer
        return self.answer


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch, db: None, engine: RecordingEngine) -> StubApp:
    app = StubApp()
    monkeypatch.setattr(sync_client, "put", app.put)
    return app


def only_app() -> App:
    return App.objects.get()


def signed(body: bytes, key: str, signed_body: bytes | None = None) -> Answer:
    signature = signing.sign(key, body if signed_body is None else signed_body, int(time.time()))
    return Answer(200, IN_BAND | {"x-inngest-signature": signature}, body)


def test_create_unreachable_app_is_a_placeholder(stub: StubApp) -> None:
    stub.answer = sync_client.Unreachable("connection refused")
    app = apps.app_create(DEV_ENVIRONMENT_ID, "127.0.0.1:21251/api/inngest")

    assert app.id == UUID("2213ea78-b640-5b72-a081-deab0b4dab88")
    assert (app.name, app.error, app.error_detail) == ("", "unreachable", "connection refused")
    assert (app.url, app.normalised_url) == (
        "http://127.0.0.1:21251/api/inngest",
        "http://localhost:21251/api/inngest",
    )
    assert stub.puts == [("http://127.0.0.1:21251/api/inngest", "dev", "")]


def test_creating_an_app_twice_makes_one(stub: StubApp) -> None:
    stub.answer = sync_client.Unreachable("connection refused")
    first = apps.app_create(DEV_ENVIRONMENT_ID, URL)
    second = apps.app_create(DEV_ENVIRONMENT_ID, URL.replace("localhost", "0.0.0.0"))

    assert first.id == second.id
    assert App.objects.count() == 1


@pytest.mark.parametrize("url", ["", "http://", "http://h:99999/"])
def test_create_with_a_text_that_is_no_url(stub: StubApp, url: str) -> None:
    with pytest.raises(app_urls.AppUrlError):
        apps.app_create(DEV_ENVIRONMENT_ID, url)
    assert App.objects.count() == 0


def test_unsupported_protocol(stub: StubApp) -> None:
    assert apps.app_create(DEV_ENVIRONMENT_ID, "ftp://localhost/x").error == "unsupported_protocol"
    assert stub.puts == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(401, {}, b'{"message":"Unauthorized"}'), "unauthorized"),
        (Answer(404, {}, b"nothing here"), "url_not_found"),
        (Answer(200, {}, b"<html>"), "not_sdk"),
        (Answer(400, SDK, b'{"message":"Your signing key is invalid"}'), "invalid_signing_key"),
    ],
)
def test_outcome_is_stored(stub: StubApp, answer: Answer, error: str) -> None:
    stub.answer = answer

    assert apps.app_create(DEV_ENVIRONMENT_ID, URL).error == error


def test_app_that_registers_during_the_ping_takes_the_place_of_the_placeholder(
    stub: StubApp, register: Register
) -> None:
    placeholder = apps.placeholder_ensure(DEV_ENVIRONMENT_ID, URL)
    pending = ping.begin(DEV_ENVIRONMENT_ID, URL)
    register(register_body(function()))
    result = ping.finish(pending, OK)

    assert result.outcome == PingOutcome()
    assert result.app == only_app()
    assert only_app().name == "shop"
    assert only_app().id != placeholder.id
    assert only_app().error == ""


def test_refused_register_call_decides_whatever_the_answer_says(stub: StubApp, register: Register) -> None:
    """TypeScript answers 200 to some refusals (spec 01 4.3)."""
    apps.placeholder_ensure(DEV_ENVIRONMENT_ID, URL)
    pending = ping.begin(DEV_ENVIRONMENT_ID, URL)
    register(register_body(function(name="")))
    result = ping.finish(pending, OK)

    assert result.outcome.code == "invalid_function"
    assert (only_app().name, only_app().error) == ("", "invalid_function")
    assert only_app().error_detail == (
        "At least one function is invalid: 'shop-f': A function name is required"
    )
    assert Sync.objects.get().app == only_app()


def test_register_call_that_succeeded_outweighs_an_error_answer(stub: StubApp, register: Register) -> None:
    register(register_body(function()))
    pending = ping.begin(DEV_ENVIRONMENT_ID, URL)
    register(register_body(function()))

    assert ping.finish(pending, Answer(500, SDK, b"")).outcome == PingOutcome()
    assert only_app().error == ""


def test_answer_without_a_register_call_leaves_a_placeholder_in_error(stub: StubApp) -> None:
    app = apps.app_create(DEV_ENVIRONMENT_ID, URL)

    assert (app.name, app.error) == ("", "app_uninitialized")


def test_python_answer_names_the_app_that_registered_under_another_url(
    stub: StubApp, register: Register
) -> None:
    response = register(register_body(function(), url="http://public.test/api/inngest"))
    stub.answer = Answer(200, SDK, response.content)
    app = apps.app_create(DEV_ENVIRONMENT_ID, URL)

    assert (app.name, app.url) == ("shop", "http://public.test/api/inngest")
    assert App.objects.count() == 1


def test_known_app_that_answers_is_healthy_again(stub: StubApp, register: Register) -> None:
    register(register_body(function()))
    stub.answer = sync_client.Unreachable("connection refused")
    assert ping.app_ping(DEV_ENVIRONMENT_ID, URL).outcome.code == "unreachable"
    assert only_app().error == "unreachable"
    assert Function.objects.get().archived_at is None

    stub.answer = OK

    assert ping.app_ping(DEV_ENVIRONMENT_ID, "http://127.0.0.1:3000/api/inngest").outcome == PingOutcome()
    assert (only_app().error, only_app().error_detail) == ("", "")


def test_ping_is_signed_with_the_first_key(stub: StubApp, settings: Settings) -> None:
    settings.STEPWELL_MODE = "server"
    settings.STEPWELL_SIGNING_KEY = KEY
    settings.STEPWELL_SIGNING_KEY_FALLBACK = OTHER_KEY
    ping.app_ping(DEV_ENVIRONMENT_ID, URL)

    assert stub.puts == [(URL, "cloud", KEY)]


@pytest.mark.parametrize("name", ["typescript_in_band", "python_in_band"])
def test_signed_in_band_answer_is_registered(
    stub: StubApp,
    settings: Settings,
    engine: RecordingEngine,
    django_capture_on_commit_callbacks: CaptureOnCommit,
    name: str,
) -> None:
    settings.STEPWELL_SIGNING_KEY = KEY
    body = sdk_body(name)
    expected = json.loads(body)
    stub.answer = signed(body, KEY)
    with django_capture_on_commit_callbacks(execute=True):
        app = apps.app_create(DEV_ENVIRONMENT_ID, expected["url"])

    assert (app.name, app.error) == (expected["app_id"], "")
    assert App.objects.count() == 1
    assert sorted(engine.specs) == sorted(item["id"] for item in expected["functions"])


def test_in_band_answer_under_another_url_takes_the_place_of_the_placeholder(
    stub: StubApp, settings: Settings
) -> None:
    settings.STEPWELL_SIGNING_KEY = KEY
    stub.answer = signed(sdk_body("typescript_in_band"), KEY)
    app = apps.app_create(DEV_ENVIRONMENT_ID, "http://inside.test/api/inngest")

    assert (app.name, app.url) == ("shop", TS_URL)
    assert App.objects.count() == 1


def test_go_signs_without_its_last_newline(stub: StubApp, settings: Settings) -> None:
    settings.STEPWELL_SIGNING_KEY = KEY
    body = sdk_body("typescript_in_band").rstrip(b"\n")
    stub.answer = signed(body + b"\n", KEY, signed_body=body)

    assert apps.app_create(DEV_ENVIRONMENT_ID, TS_URL).name == "shop"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, IN_BAND, sdk_body("typescript_in_band")),
        signed(sdk_body("typescript_in_band"), OTHER_KEY),
        signed(sdk_body("typescript_in_band"), KEY, signed_body=b"{}"),
    ],
)
def test_unsigned_or_wrongly_signed_in_band_answer_is_refused(
    stub: StubApp, settings: Settings, answer: Answer
) -> None:
    settings.STEPWELL_SIGNING_KEY = KEY
    stub.answer = answer
    app = apps.app_create(DEV_ENVIRONMENT_ID, TS_URL)

    assert (app.name, app.error) == ("", "invalid_signing_key")
    assert Function.objects.count() == 0


def test_invalid_in_band_answer(stub: StubApp) -> None:
    stub.answer = Answer(200, IN_BAND, register_body(function(name="")))
    app = apps.app_create(DEV_ENVIRONMENT_ID, URL)

    assert (app.name, app.error) == ("", "invalid_function")


def test_update_moves_a_placeholder(stub: StubApp) -> None:
    stub.answer = sync_client.Unreachable("connection refused")
    app = apps.app_create(DEV_ENVIRONMENT_ID, URL)
    moved = apps.app_update(DEV_ENVIRONMENT_ID, app.id, "localhost:4000/x")

    assert moved is not None
    assert (moved.id, moved.url, moved.error) == (app.id, "http://localhost:4000/x", "unreachable")
    assert [url for url, _, _ in stub.puts] == [URL, "http://localhost:4000/x"]


def test_update_to_a_known_url_gives_way(stub: StubApp, register: Register) -> None:
    register(register_body(function()))
    stub.answer = sync_client.Unreachable("connection refused")
    app = apps.app_create(DEV_ENVIRONMENT_ID, "http://localhost:4000/x")
    moved = apps.app_update(DEV_ENVIRONMENT_ID, app.id, URL)

    assert moved is not None
    assert moved.name == "shop"
    assert App.objects.count() == 1


def test_update_of_an_unknown_app(stub: StubApp) -> None:
    assert apps.app_update(DEV_ENVIRONMENT_ID, UUID(int=7), URL) is None
    assert apps.app_update(UUID(int=7), apps.app_create(DEV_ENVIRONMENT_ID, URL).id, URL) is None


def test_same_url_in_two_environments(stub: StubApp) -> None:
    assert identities.placeholder_id(UUID(int=7), URL) != apps.app_create(DEV_ENVIRONMENT_ID, URL).id
    assert selectors.app_by_url(UUID(int=7), URL) is None
