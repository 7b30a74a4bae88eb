"""The groups of a person, as their identity provider names them."""

from collections.abc import Mapping
from typing import Any

from apps.signin.models import SsoConnection


def groups_of(connection: SsoConnection | None, said: Mapping[str, Any]) -> list[str]:
    """From what an answer said: a SAML attribute, or a claim of OpenID Connect, which may be a list, one
    text, or missing."""
    if connection is None:
        return []
    for part in (said, said.get("id_token"), said.get("userinfo")):
        value = part.get(connection.group_attribute) if isinstance(part, Mapping) else None
        if value:
            return [str(item) for item in (value if isinstance(value, list) else [value])]
    return []
