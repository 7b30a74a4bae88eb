"""Changes of single sign-on at once, each on a connection of its own: what one has read stays true until it
is written."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.signin.models import SsoConnection, SsoDomain, SsoKind
from apps.signin.services import connections
from apps.signin.services.connections import NoDomain
from apps.tenancy.models import Role
from tests.integration.databases import in_threads
from tests.integration.tenancy.cast import Cast, as_actor


@pytest.fixture
def connection(racing_cast: Cast) -> SsoConnection:
    """With one verified domain, turned off."""
    made = SsoConnection.objects.create(
        account=racing_cast.acme, kind=SsoKind.OIDC, name="Acme ID", config_encrypted="c"
    )
    SsoDomain.objects.create(connection=made, domain="acme.test", verified_at=timezone.now())
    return made


def enforce(cast: Cast, connection: SsoConnection) -> Callable[[], None]:
    """As a page does that has read the connection already."""
    seen = SsoConnection.objects.get(id=connection.id)
    return partial(
        connections.connection_set_policy,
        connection=seen,
        is_enabled=True,
        is_enforced=True,
        is_joining=True,
        default_role=Role.VIEWER,
        actor=as_actor(cast.alice),
    )


def test_enforcement_begins_once(racing_cast: Cast, connection: SsoConnection) -> None:
    in_threads([enforce(racing_cast, connection) for _ in range(3)])
    entries = AuditEntry.objects.filter(action="sso.policy").order_by("number")
    assert [entry.before["is_enforced"] for entry in entries] == [False, True, True]


def test_a_policy_that_is_being_written_is_waited_for(
    racing_cast: Cast, connection: SsoConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last domain goes while the connection is turned on: whichever is first, none is on without one."""
    domain = connection.domains.get()
    in_hand, audit = threading.Event(), connections._audit

    def slow(connection: SsoConnection, actor: Any, action: str, *args: Any, **more: Any) -> None:
        if action == "sso.policy":
            in_hand.set()
        audit(connection, actor, action, *args, **more)

    def remove() -> None:
        assert in_hand.wait(timeout=10)
        connections.domain_remove(domain=domain, actor=as_actor(racing_cast.alice))

    monkeypatch.setattr(connections, "_audit", slow)
    assert in_threads([enforce(racing_cast, connection), remove]) == []
    connection.refresh_from_db()
    assert (connection.is_enabled, connection.is_enforced) == (False, False)
    with pytest.raises(NoDomain):
        enforce(racing_cast, connection)()
