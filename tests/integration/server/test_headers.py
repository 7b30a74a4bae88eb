"""What pages tell browsers, and what every answer says of its request."""

import re
from pathlib import Path

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory
from pytest_django.fixtures import Settings

from apps.server.headers import PageHeadersMiddleware

ROOT = Path(__file__).resolve().parents[3]


def directives(policy: str) -> dict[str, str]:
    found = (part.strip().partition(" ") for part in policy.split(";"))
    return {name: value for name, _, value in found}


@pytest.mark.django_db
def test_a_page(client: Client, redis_url: str) -> None:
    answer = client.get("/apps")
    assert answer.status_code == 200
    assert directives(answer["Content-Security-Policy"]) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert "camera=()" in answer["Permissions-Policy"]
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
async def test_a_page_over_asgi(async_client: AsyncClient, redis_url: str) -> None:
    answer = await async_client.get("/apps")
    assert directives(answer["Content-Security-Policy"])["script-src"] == "'self'"


def test_an_api_has_no_policy_of_pages(client: Client) -> None:
    answer = client.get("/health/live")
    assert "Content-Security-Policy" not in answer
    assert "Permissions-Policy" not in answer


def test_a_template_that_asks_for_the_nonce_gets_it_into_the_policy() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"<script nonce={request.csp_nonce}>")  # type: ignore[attr-defined]

    answer = PageHeadersMiddleware(view)(RequestFactory().get("/"))
    assert isinstance(answer, HttpResponse)
    nonce = answer.content.decode().partition("nonce=")[2].rstrip(">")
    assert len(nonce) == 24
    assert directives(answer["Content-Security-Policy"])["script-src"] == f"'self' 'nonce-{nonce}'"


_INLINE = re.compile(
    r"<style[\s>]|\sstyle\s*=|\son\w+\s*=\s*[\"']|javascript:|hx-on|<script(?![^>]*\bsrc=)(?![^>]*application/json)",
    re.IGNORECASE,
)


# Letters are read in mail programs, which know no other styles than those within.
PAGES = [path for path in sorted((ROOT / "templates").rglob("*.html")) if path.parent.name != "mail"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_template_has_inline_scripts_or_styles(path: Path) -> None:
    lines = [line.strip() for line in path.read_text().splitlines() if "nonce=" not in line]
    assert [line for line in lines if _INLINE.search(line)] == []


def test_each_request_has_an_id(client: Client) -> None:
    first, second = (client.get("/health/live")["X-Request-Id"] for _ in range(2))
    assert len(first) == len(second) == 26
    assert first != second
    given = client.get("/health/live", headers={"X-Request-Id": "proxy-7"})
    assert given["X-Request-Id"] == "proxy-7"
    strange = client.get("/health/live", headers={"X-Request-Id": "a b"})
    assert len(strange["X-Request-Id"]) == 26


@pytest.mark.django_db
def test_requests_are_logged_by_route_where_lines_are_json(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="stepwell.requests")
    client.get("/v1/runs/secret-looking?token=x")
    assert [record.name for record in caplog.records if record.name == "stepwell.requests"] == []
    settings.STEPWELL_LOG_FORMAT = "json"
    answer = client.get("/v1/runs/secret-looking?token=x")
    client.get("/health/live")
    [record] = [record for record in caplog.records if record.name == "stepwell.requests"]
    assert (record.method, record.status) == ("GET", answer.status_code)  # type: ignore[attr-defined]
    assert record.route == "/v1/runs/<str:run_id>"  # type: ignore[attr-defined]
    assert "secret-looking" not in str(record.__dict__)
