"""Connections of Acme, made as its page makes them."""

import re
from typing import Any

from django.test import Client

from apps.audit.services import SYSTEM
from apps.signin.models import SsoConnection
from apps.signin.services import connections
from apps.signin.sso.configuration import Config
from apps.tenancy.models import Account, Role


def connect(
    account: Account,
    config: Config,
    *,
    domain: str = "acme.test",
    is_enforced: bool = False,
    is_joining: bool = True,
) -> SsoConnection:
    """Enabled, with one verified domain."""
    connection = connections.connection_create(account=account, name="Acme ID", config=config, actor=SYSTEM)
    row = connections.domain_add(connection=connection, domain=domain, actor=SYSTEM)
    connections.domain_approve(domain=row, actor=SYSTEM)
    connections.connection_set_policy(
        connection=connection,
        is_enabled=True,
        is_enforced=is_enforced,
        is_joining=is_joining,
        default_role=Role.OPERATOR,
        actor=SYSTEM,
    )
    return connection


def leave(client: Client, email: str, **more: str) -> str:
    """Start at our page; the address at the identity provider that it leads to."""
    answer: Any = client.post("/sign-in/sso", {"email": email} | more)
    assert answer.status_code == 200, answer.content.decode()
    found = re.search(r'href="([^"]+)" rel="noreferrer"', answer.content.decode())
    assert found is not None, answer.content.decode()
    return found[1].replace("&amp;", "&")
