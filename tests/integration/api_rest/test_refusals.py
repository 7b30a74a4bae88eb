"""Each REST call and sync that is refused for a mistake leaves one entry, without its body and its key."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from apps.refusals.buffer import RefusalBuffer, process_refusals
from apps.refusals.refusal import UNKNOWN, Refusal
from tests.integration.ingest.noting import ENV, noted
from tests.unit.registry.bodies import function, register_body

RUN = "01M8488PZN38TBQW5R170FD360"
SECRET = "s3cr3t-of-the-body"
WRONG = {"Authorization": "Bearer signkey-prod-0123456789abcdef"}


@pytest.fixture
def buffer() -> RefusalBuffer:
    """The process's own, since middleware is made by Django; empty when the test begins."""
    process_refusals.take()
    return process_refusals


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "body", "shown", "reason"),
    [
        ("GET", f"/v1/runs/{SECRET}?token={SECRET}", b"", "/v1/runs/…", "Invalid run ID"),
        ("GET", f"/v1/events/{SECRET}/runs", b"", "/v1/events/…/runs", "Invalid event ID"),
        ("GET", f"/v1/events?cursor={SECRET}", b"", "/v1/events", "Invalid cursor query parameter"),
        ("DELETE", f"/v0/runs/{SECRET}", b"", "/v0/runs/…", "The run ID specified is invalid"),
        ("POST", "/v1/signals", SECRET.encode(), "/v1/signals", "Invalid signal data"),
        ("POST", "/v1/signals", b'{"data":1}', "/v1/signals", "Failed to receive signal"),
    ],
)
def test_a_bad_call_leaves_an_entry(
    rest: Client, buffer: RefusalBuffer, method: str, path: str, body: bytes, shown: str, reason: str
) -> None:
    for _ in range(2):
        assert rest.generic(method, path, body).status_code == 400
    entries = noted(buffer)
    assert entries == [(Refusal(ENV, "rest", method, shown, 400, reason), 2, "")]
    assert SECRET not in str(entries)


@pytest.mark.usefixtures("server_mode")
@pytest.mark.parametrize(
    ("method", "path", "face", "shown"),
    [
        ("GET", f"/v1/events/{RUN}", "rest", "/v1/events/…"),
        ("POST", "/v1/signals", "rest", "/v1/signals"),
        ("POST", "/fn/register", "sync", "/fn/register"),
        ("DELETE", "/fn/remove", "sync", "/fn/remove"),
        ("GET", "/dev", "sync", "/dev"),
    ],
)
@pytest.mark.parametrize(("headers", "end"), [({}, ""), (WRONG, "cdef")])
def test_a_wrong_key_leaves_an_entry(
    rest: Client,
    buffer: RefusalBuffer,
    method: str,
    path: str,
    face: str,
    shown: str,
    headers: dict[str, str],
    end: str,
) -> None:
    assert rest.generic(method, path, headers=headers).status_code == 401
    entries = noted(buffer)
    assert entries == [(Refusal(UNKNOWN, face, method, shown, 401, "Authentication failed"), 1, end)]
    assert "0123456789" not in str(entries)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (SECRET.encode(), {}, "Invalid request"),
        (b"{}", {}, "App ID required"),
        (register_body(function(SECRET, name="")), {}, "At least one function is invalid"),
        (b"{}", {"X-Inngest-Expected-Server-Kind": "cloud"}, "Expected server kind dev"),
    ],
)
def test_a_bad_sync_leaves_an_entry(
    rest: Client, buffer: RefusalBuffer, body: bytes, headers: dict[str, str], reason: str
) -> None:
    answer = rest.post("/fn/register", body, content_type="application/json", headers=headers)
    assert answer.status_code == 400
    entries = noted(buffer)
    assert entries == [(Refusal(ENV, "sync", "POST", "/fn/register", 400, reason), 1, "")]
    assert SECRET not in str(entries)


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "face"), [("/fn/register", "sync"), ("/v1/signals", "rest")])
def test_a_body_beyond_the_limit_leaves_an_entry(
    rest: Client, buffer: RefusalBuffer, settings: Settings, path: str, face: str
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert rest.post(path, b"x" * 101, content_type="application/json").status_code == 400
    reason = "Request body is over the max size"
    assert noted(buffer) == [(Refusal(ENV, face, "POST", path, 400, reason), 1, "")]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/events"), ("GET", f"/v1/events/{RUN}"), ("GET", "/v1/none"), ("POST", "/events/send")],
)
def test_good_questions_and_pages_leave_none(
    rest: Client, buffer: RefusalBuffer, method: str, path: str
) -> None:
    rest.generic(method, path)
    assert noted(buffer) == []
