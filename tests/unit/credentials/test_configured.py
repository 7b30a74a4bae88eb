"""Keys that the server is started with."""

import hmac
from typing import Any

import pytest

from apps.credentials import configured
from apps.credentials.caller import CredentialKind
from apps.credentials.configured import DEV_PLACE, ConfiguredDirectory
from tests.unit.credentials.directory import EVENT_KEY, SIGNING_KEY, MemoryDirectory

HASH = "5f78c33274e43fa9de5659265c1d917e25c03722dcb0b8d27db8d5feaa813953"


@pytest.fixture
def directory() -> ConfiguredDirectory:
    return ConfiguredDirectory(["one", "two"], ["signkey-prod-deadbeef", "0123"])


@pytest.mark.parametrize("presented", ["one", "two"])
def test_event_keys_are_those_of_the_default_environment(
    directory: ConfiguredDirectory, presented: str
) -> None:
    found = directory.event_key(presented)
    assert found is not None
    assert (found.kind, found.id, found.place) == (CredentialKind.EVENT_KEY, "", DEV_PLACE)
    assert directory.bearer(presented) is None


@pytest.mark.parametrize(
    "presented", ["deadbeef", "signkey-x-DEADBEEF", HASH, f"signkey-test-{HASH}", "0123"]
)
def test_each_form_of_a_signing_key(directory: ConfiguredDirectory, presented: str) -> None:
    found = directory.bearer(presented)
    assert found is not None
    assert (found.kind, found.place) == (CredentialKind.SIGNING_KEY, DEV_PLACE)
    assert directory.event_key(presented) is None


@pytest.mark.parametrize("presented", ["", "three", "on", "one ", "dead", HASH[:-1], "\ud800"])
def test_nothing_else_is_a_key(directory: ConfiguredDirectory, presented: str) -> None:
    assert directory.event_key(presented) is None
    assert directory.bearer(presented) is None


def test_keys_are_compared_in_constant_time(
    directory: ConfiguredDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[Any, Any]] = []

    def compare(presented: Any, known: Any) -> bool:
        compared.append((presented, known))
        return hmac.compare_digest(presented, known)

    monkeypatch.setattr(configured, "compare_digest", compare)
    directory.event_key("wrong")
    directory.bearer(HASH)
    assert compared[:2] == [(b"wrong", b"one"), (b"wrong", b"two")]
    assert compared[2] == (HASH.encode(), HASH.encode())


def test_stored_keys_are_looked_for_behind_them() -> None:
    stored = MemoryDirectory(event_keys={"e": EVENT_KEY}, bearers={"s": SIGNING_KEY})
    directory = ConfiguredDirectory(["one"], [], stored)
    assert directory.event_key("e") is EVENT_KEY
    assert directory.bearer("s") is SIGNING_KEY
    assert directory.event_key("one") is not None
    assert stored.asked == 2
