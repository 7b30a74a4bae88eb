"""Recognising and calling the URLs of apps (spec 01 4.8, spec 03 6.15)."""

import uuid

import pytest

from apps.registry import app_urls, identities
from apps.tenancy.models import DEV_ENVIRONMENT_ID


@pytest.mark.parametrize(
    ("url", "normalised"),
    [
        ("http://127.0.0.1:3000/api/inngest", "http://localhost:3000/api/inngest"),
        ("http://0.0.0.0:3000/api/inngest", "http://localhost:3000/api/inngest"),
        ("localhost:3000/api/inngest", "http://localhost:3000/api/inngest"),
        ("http://Example.COM:80/x", "http://example.com/x"),
        ("https://example.com:443/x?b=2&deployId=7&a=1&probe=trust", "https://example.com/x?a=1&b=2"),
        ("https://example.com:80/x#frag", "https://example.com:80/x"),
        ("http://[::1]:3000/x", "http://[::1]:3000/x"),
        ("http://h/x?a=", "http://h/x?a="),
    ],
)
def test_normalise(url: str, normalised: str) -> None:
    assert app_urls.normalise(url) == normalised
    assert app_urls.normalise(normalised) == normalised


@pytest.mark.parametrize(
    "url", ["", "http://", "http://[::1", "http://h:99999/", "http://h:x/", "http://h:0/"]
)
def test_not_a_url(url: str) -> None:
    with pytest.raises(app_urls.AppUrlError):
        app_urls.normalise(url)
    assert app_urls.normalise_or_keep(url) == url


def test_loopback_literals_fall_back_to_both_families() -> None:
    assert app_urls.call_candidates("http://127.0.0.1:3000/x?a=1") == [
        "http://127.0.0.1:3000/x?a=1",
        "http://localhost:3000/x?a=1",
    ]
    assert app_urls.call_candidates("http://localhost:3000/x") == ["http://localhost:3000/x"]


def test_ids_equal_those_of_other_servers() -> None:
    """Check values of spec 03 1.6."""
    app = identities.app_id(DEV_ENVIRONMENT_ID, "myapp")
    placeholder = identities.placeholder_id(DEV_ENVIRONMENT_ID, "http://localhost:21251/api/inngest")
    function = identities.function_id(
        DEV_ENVIRONMENT_ID, "Hello fn", "http://localhost:21250/api/inngest?fnId=myapp-hello&stepId=step"
    )

    assert str(app) == "40768630-6bea-56a2-af77-60abc06ba30f"
    assert str(placeholder) == "2213ea78-b640-5b72-a081-deab0b4dab88"
    assert str(function) == "90c1bf36-93fe-5e87-b761-a83064f428b1"
    assert identities.app_id(uuid.uuid4(), "myapp") != app
