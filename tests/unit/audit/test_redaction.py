"""No secret gets into the audit log."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from apps.audit.exceptions import SecretInEntry
from apps.audit.redaction import without_secrets

SECRETS: list[tuple[dict[str, Any], str]] = [
    ({"secret": "x"}, "secret"),
    ({"client_secret": "x"}, "client_secret"),
    ({"clientSecret": "x"}, "clientSecret"),
    ({"Password": "x"}, "Password"),
    ({"token_hash": "x"}, "token_hash"),
    ({"value": "x"}, "value"),
    ({"signing_key": "x"}, "signing_key"),
    ({"config": {"saml": [{"private_key": "x"}]}}, "config.saml.private_key"),
    ({"note": "rotated signkey-prod-0123456789abcdef"}, "note"),
]
HARMLESS: list[dict[str, Any]] = [
    {},
    {"name": "Token service", "role": "admin"},
    {"requires_password": True, "token": None},
    {"key_id": "1f", "prefix": "signkey-prod-01"},
    {"environments": ["production"]},
]


@pytest.mark.parametrize(("values", "where"), SECRETS)
def test_a_secret_is_refused_in_tests(values: dict[str, Any], where: str) -> None:
    with pytest.raises(SecretInEntry, match=f"^{where} looks like a secret"):
        without_secrets(values)


@pytest.mark.parametrize("values", HARMLESS)
def test_what_is_no_secret_passes(values: dict[str, Any]) -> None:
    assert without_secrets(values) == values


def test_in_production_a_secret_is_redacted(settings: Settings) -> None:
    settings.STEPWELL_AUDIT_STRICT = False
    values = {"name": "n", "config": {"password": "p", "hosts": ["h", {"token": "t"}]}, "value": 7}
    assert without_secrets(values) == {
        "name": "n",
        "config": {"password": "[redacted]", "hosts": ["h", {"token": "[redacted]"}]},
        "value": "[redacted]",
    }
