import io

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from apps.credentials import secrets
from apps.credentials.database import DatabaseDirectory
from tests.integration.credentials.world import Organisation, event_key, event_key_of, signing_key

OLD, NEW, OTHER = "o" * 40, "n" * 40, "x" * 40


@pytest.fixture(autouse=True)
def old_key(settings: Settings) -> None:
    settings.STEPWELL_ENCRYPTION_KEYS = [OLD]


def rekey() -> str:
    out = io.StringIO()
    call_command("rekey", stdout=out)
    return out.getvalue()


def test_after_a_rekey_the_old_key_is_not_needed(
    old_key: None, acme: Organisation, settings: Settings
) -> None:
    values = event_key(acme.production), signing_key(acme.production)
    settings.STEPWELL_ENCRYPTION_KEYS = [NEW, OLD]
    directory = DatabaseDirectory()
    assert directory.event_key(values[0]) is not None
    assert rekey() == "4 credentials encrypted anew\n"
    settings.STEPWELL_ENCRYPTION_KEYS = [NEW]
    assert (event_key(acme.production), signing_key(acme.production)) == values
    assert directory.event_key(values[0]) is not None
    assert directory.bearer(values[1]) is not None


def test_what_cannot_be_read_stays_and_is_told(old_key: None, acme: Organisation, settings: Settings) -> None:
    before = event_key_of(acme.production).value_encrypted
    settings.STEPWELL_ENCRYPTION_KEYS = [OTHER]
    with pytest.raises(CommandError, match="4 credentials were encrypted with a key that is not here"):
        rekey()
    assert event_key_of(acme.production).value_encrypted == before
    with pytest.raises(secrets.SecretUnreadable):
        event_key(acme.production)
