"""Two people change the same credential at once: what the first did stays done."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.audit.services import SYSTEM
from apps.credentials.services import changes, event_key_revoke
from apps.tenancy.models import Account, Environment
from tests.integration.credentials.world import Organisation, event_key_of

pytestmark = pytest.mark.django_db


def test_a_key_that_somebody_revokes_meanwhile_does_not_come_back(
    acme: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one holds the lock that the second, who wants the key to end tomorrow, waits for."""
    key, lock, waiting = event_key_of(acme.production), changes.lock_writable, [True]

    def lock_after_the_first(environment: Environment) -> Account:
        if waiting:
            waiting.clear()
            event_key_revoke(event_key=key, actor=SYSTEM)
        return lock(environment)

    monkeypatch.setattr(changes, "lock_writable", lock_after_the_first)
    event_key_revoke(event_key=key, actor=SYSTEM, at=timezone.now() + timedelta(days=1))
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert key.revoked_at <= timezone.now()
