"""What is known of an identity provider, as it is stored: JSON, encrypted."""

import json
from dataclasses import asdict, dataclass

from apps.credentials import secrets
from apps.signin.models import SsoConnection, SsoKind


@dataclass(frozen=True, slots=True)
class OidcConfig:
    """`issuer` is the URL below which `/.well-known/openid-configuration` lies."""

    issuer: str
    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class SamlConfig:
    """`certificate` is the provider's signing certificate, in PEM or bare base64."""

    entity_id: str
    sso_url: str
    certificate: str


Config = OidcConfig | SamlConfig


def sealed(config: Config) -> str:
    return secrets.encrypt(json.dumps(asdict(config)))


def opened(connection: SsoConnection) -> Config:
    """Raises SecretUnreadable."""
    values = json.loads(secrets.decrypt(connection.config_encrypted))
    return OidcConfig(**values) if connection.kind == SsoKind.OIDC else SamlConfig(**values)
