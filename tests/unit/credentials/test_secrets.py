import pytest
from pytest_django.fixtures import Settings

from apps.credentials import secrets

OLD, NEW = "o" * 40, "n" * 40


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.STEPWELL_ENCRYPTION_KEYS = [OLD]


def test_a_hash_is_keyed_and_stable(settings: Settings) -> None:
    found = secrets.keyed_hash("value")
    assert found == secrets.keyed_hash("value")
    assert found != secrets.keyed_hash("valu")
    assert len(found) == 64
    settings.STEPWELL_ENCRYPTION_KEYS = [NEW]
    assert secrets.keyed_hash("value") != found


def test_any_text_has_a_hash() -> None:
    assert secrets.keyed_hashes("\ud800") == [secrets.keyed_hash("\ud800")]


def test_what_was_encrypted_is_read_again_and_looks_different_each_time() -> None:
    first, second = secrets.encrypt("value"), secrets.encrypt("value")
    assert first != second
    assert "value" not in first
    assert secrets.decrypt(first) == secrets.decrypt(second) == "value"


def test_a_new_key_in_front_reads_and_finds_what_the_old_one_made(settings: Settings) -> None:
    ciphertext, found = secrets.encrypt("value"), secrets.keyed_hash("value")
    settings.STEPWELL_ENCRYPTION_KEYS = [NEW, OLD]
    assert secrets.decrypt(ciphertext) == "value"
    assert found in secrets.keyed_hashes("value")
    assert secrets.keyed_hash("value") == secrets.keyed_hashes("value")[0] != found


def test_another_key_reads_nothing(settings: Settings) -> None:
    ciphertext = secrets.encrypt("value")
    settings.STEPWELL_ENCRYPTION_KEYS = [NEW]
    with pytest.raises(secrets.SecretUnreadable):
        secrets.decrypt(ciphertext)
    with pytest.raises(secrets.SecretUnreadable):
        secrets.decrypt("nonsense")


def test_without_keys_the_secret_key_serves_with_its_fallbacks(settings: Settings) -> None:
    settings.STEPWELL_ENCRYPTION_KEYS = []
    settings.SECRET_KEY = "first"
    ciphertext = secrets.encrypt("value")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "second", ["first"]
    assert secrets.decrypt(ciphertext) == "value"
