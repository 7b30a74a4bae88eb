"""STEPWELL_ENTITLEMENTS and STEPWELL_ENCRYPTION_KEYS, as the settings read them."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.tenancy.entitlements import Entitlements
from config.settings import credentials, environment

NAMES = credentials.ENTITLEMENTS


def read(monkeypatch: pytest.MonkeyPatch, text: str) -> dict[str, int | None]:
    monkeypatch.setenv("STEPWELL_ENTITLEMENTS", text)
    return environment.limits("STEPWELL_ENTITLEMENTS", known=NAMES)


def test_the_names_are_those_of_the_entitlements() -> None:
    assert set(Entitlements.__struct_fields__) == NAMES


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("{}", {}),
        ('{"ingest_per_second": 500, "api_keys": null}', {"ingest_per_second": 500, "api_keys": None}),
    ],
)
def test_limits_are_read(monkeypatch: pytest.MonkeyPatch, text: str, found: dict[str, int | None]) -> None:
    assert read(monkeypatch, text) == found


@pytest.mark.parametrize(
    "text", ["x", "[]", '{"ingest": 5}', '{"api_keys": -1}', '{"api_keys": 1.5}', '{"api_keys": true}']
)
def test_what_is_no_limit_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="STEPWELL_ENTITLEMENTS must be a JSON object"):
        read(monkeypatch, text)


def test_encryption_keys_are_long() -> None:
    credentials.check_encryption_keys([])
    credentials.check_encryption_keys(["k" * 32, "l" * 40])
    with pytest.raises(ImproperlyConfigured, match="at least 32 characters"):
        credentials.check_encryption_keys(["k" * 32, "short"])
