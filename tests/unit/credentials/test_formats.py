import re

import pytest

from apps.credentials import formats
from apps.tenancy.models import EnvironmentType

VECTOR = "signkey-prod-b2ed992186a5cb19f6668aade821f502c1d00970dfd0e35128d51bac4649916c"
KEY = "signkey-prod-0123456789abcdef0123456789abcdef"
HASH = "223e0a160af9da0a03e6dd2c4719c56f5d66a633cbe84e78aaa9f3735865522a"


def test_an_event_key_is_64_random_bytes_in_86_characters() -> None:
    keys = {formats.new_event_key() for _ in range(50)}
    assert len(keys) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{86}", key) for key in keys)
    assert {len(formats.event_key_prefix(key)) for key in keys} == {7}


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (EnvironmentType.PRODUCTION, "prod"),
        (EnvironmentType.TEST, "test"),
        (EnvironmentType.BRANCH_PARENT, "branch"),
    ],
)
def test_a_signing_key_names_its_kind_of_environment(kind: EnvironmentType, word: str) -> None:
    key = formats.new_signing_key(kind)
    assert re.fullmatch(rf"signkey-{word}-[0-9a-f]{{64}}", key)
    assert formats.signing_key_prefix(key) == f"signkey-{word}-"
    assert key != formats.new_signing_key(kind)


def test_a_branch_has_no_signing_key() -> None:
    with pytest.raises(KeyError):
        formats.new_signing_key(EnvironmentType.BRANCH_CHILD)


def test_the_hash_is_over_the_decoded_bytes() -> None:
    assert f"signkey-prod-{formats.bearer_hash('signkey-prod-12345678')}" == VECTOR
    assert formats.bearer_hash("deadbeef") == (
        "5f78c33274e43fa9de5659265c1d917e25c03722dcb0b8d27db8d5feaa813953"
    )
    assert formats.bearer_hash(KEY) == HASH


@pytest.mark.parametrize("key", ["signkey-prod-123", "signkey-prod-xyz1", "abc"])
def test_what_is_no_signing_key_has_no_hash(key: str) -> None:
    with pytest.raises(ValueError, match="fromhex"):
        formats.bearer_hash(key)


@pytest.mark.parametrize(
    "presented",
    [
        KEY,
        KEY.removeprefix("signkey-prod-"),
        HASH,
        f"signkey-prod-{HASH}",
        f"signkey-test-{HASH}",
        f"SIGNKEY-PROD-{HASH}",
        f"SignKey-Prod-{HASH.upper()}",
    ],
)
def test_all_forms_of_a_signing_key_lead_to_one_hash(presented: str) -> None:
    assert HASH in formats.bearer_hashes(presented)


@pytest.mark.parametrize("presented", ["", "undefined", "signkey-prod-", "not hex", "123", "é" * 64])
def test_what_no_sdk_presents_leads_to_none(presented: str) -> None:
    assert formats.bearer_hashes(presented) == []


def test_previews_show_four_characters() -> None:
    key, token = formats.new_api_key(), formats.new_token()
    assert key.startswith("sk-inn-api-")
    assert formats.secret_preview(key) == key[: len("sk-inn-api-") + 4]
    assert formats.secret_preview(token) == token[: len("sk-inn-pat-") + 4]
    assert len(key) > 50
    assert formats.secret_preview("anything") == ""
