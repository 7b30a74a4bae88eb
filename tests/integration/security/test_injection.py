"""Header injection, open redirects, paths that climb, and keys that are guessed (docs/THREAT_MODEL.md)."""

from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from apps.credentials.process import process_resolver
from apps.engine.store.client import RedisClient
from apps.ingest.app import IngestApp
from apps.ingest.options import IngestOptions
from apps.refusals.buffer import RefusalBuffer
from tests.isolation.cast import Place, Stage, make_stage
from tests.isolation.visitors import Visitor, bearer

ELSEWHERE: Final = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "///evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/o/acme\r\nSet-Cookie: a=b",
)


def leads_away(location: str) -> bool:
    """As a browser reads it: white space goes, and a backslash is a slash."""
    read = "".join(char for char in location if char not in "\t\r\n").replace("\\", "/").strip()
    parts = urlsplit(read)
    return bool(parts.netloc and parts.netloc != "testserver") or parts.scheme not in ("", "http", "https")


@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_redirect_leads_away(stage: Stage, target: str) -> None:
    alice = Client()
    alice.force_login(stage.people.alice)
    for path, parameters in (
        ("/switch", {"org": "acme", "next": target}),
        ("/sign-in", {"next": target}),
        ("/sign-out", {"next": target}),
        ("/confirm", {"next": target}),
        ("/profile", {"next": target}),
        (f"{stage.production.path}/runs", {"q": target, "next": target}),
    ):
        answer = alice.get(path, parameters)
        assert answer.status_code in (200, 302, 403), path
        location = answer.get("Location", "")
        assert not leads_away(location), (path, location)
        assert "Set-Cookie: a=b" not in str(answer.headers)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_a_path_of_slashes_stays_here(stage: Stage, target: str) -> None:
    """A redirect to the last place repeats the path that was asked for."""
    visitor = Visitor(stage.people.alice)
    for path in (f"/{target}", f"/runs/{target}", f"/o/acme/env/production//{target}"):
        answer = visitor.ask("GET", path.replace("\r\n", "%0d%0a"))
        assert answer.status_code in (200, 302, 404), path
        assert not leads_away(answer.get("Location", "")), path


@pytest.mark.parametrize("header", ["X-Inngest-Env", "X-Request-Id", "Origin", "HX-Target", "Host"])
def test_a_header_of_the_request_begins_no_header_of_the_answer(stage: Stage, header: str) -> None:
    value = "a\r\nX-Injected: 1"
    client = Client(raise_request_exception=False)
    client.force_login(stage.people.alice)
    for path in (f"{stage.production.path}/runs", "/v1/events", "/sign-in", "/nowhere"):
        answer = client.get(path, headers={header: value, **bearer(stage.production.signing_key)})
        assert answer.status_code < 500
        raw = answer.serialize_headers()
        assert b"\r\nX-Injected" not in raw


def test_no_other_page_reads_with_the_visitors_cookies(stage: Stage) -> None:
    """Any page may call the interfaces, which know nobody by cookies; what is for people stays unreadable."""
    client = Client()
    client.force_login(stage.people.alice)
    for path in (f"{stage.production.path}/runs", "/v0/gql", "/v1/events", "/orgs", "/profile"):
        answer = client.get(path, headers={"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Credentials" not in answer, path
    assert client.get("/v0/gql?query={apps{id}}").status_code == 401


CLIMBING: Final = (
    "../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "....//....//etc/passwd",
    "..\\..\\etc\\passwd",
    "/etc/passwd",
    "%252e%252e%252fetc%252fpasswd",
)


@pytest.mark.parametrize("path", CLIMBING)
def test_no_path_leads_out_of_the_static_files(stage: Stage, path: str) -> None:
    visitor = Visitor(stage.people.alice)
    for prefix in ("/static/", f"{stage.production.path}/runs/", f"{stage.production.path}/static/"):
        answer: Any = visitor.ask("GET", f"{prefix}{path}")
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert b"root:" not in content
        assert answer.status_code in (302, 404)


@pytest.fixture
async def web(redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    store = RedisClient(redis_url)
    options = IngestOptions("server", redis_url, "0", max_event_bytes=10_000, max_body_bytes=100_000)
    app = IngestApp(options, store, RefusalBuffer(), process_resolver())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stepwell") as client:
        yield client
    await store.close()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
async def test_guesses_at_keys_learn_nothing(web: httpx.AsyncClient, server: None) -> None:
    """A key that is nearly right, one that is of another kind, and nonsense get one answer."""
    place: Place = (await sync_to_async(make_stage)()).production
    key = place.event_key
    guesses = [key[:-1], key[:-1] + ("a" if key[-1] != "a" else "b"), key.swapcase(), "x", "x" * 5000]
    guesses += [place.signing_key, str(place.environment.id), str(place.ids["event_key"])]
    answers = set()
    for guess in guesses:
        answer = await web.post(f"/e/{guess}", json={"name": "a/b"})
        answers.add((answer.status_code, answer.content.replace(guess.encode(), b"*"), len(answer.headers)))
    assert len(answers) == 1, answers
    assert (await web.post(f"/e/{key}", json={"name": "a/b"})).status_code == 200
