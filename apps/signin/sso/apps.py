"""The connections of organisations as the apps that django-allauth asks for; none is stored as its own."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from allauth.socialaccount.models import SocialApp
from django.db.models import Q, QuerySet

from apps.signin.models import USUAL_SCOPES, SsoConnection, SsoKind, connection_id_of
from apps.signin.sso.configuration import OidcConfig, SamlConfig, opened

_KINDS = {"openid_connect": SsoKind.OIDC, "saml": SsoKind.SAML}
# What providers call the attributes of a person, first match first.
_ATTRIBUTES = {
    "uid": ["urn:oasis:names:tc:SAML:attribute:subject-id"],
    "email": [
        "email",
        "mail",
        "urn:oid:0.9.2342.19200300.100.1.3",
        "urn:oid:1.2.840.113549.1.9.1",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    ],
    "name": ["name", "displayName", "urn:oid:2.16.840.1.113730.3.1.241"],
    "first_name": [
        "firstName",
        "givenName",
        "urn:oid:2.5.4.42",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
    ],
    "last_name": [
        "lastName",
        "sn",
        "urn:oid:2.5.4.4",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
    ],
}


def list_apps(
    provider: str | None, client_id: str | None, rehearsed_ids: Collection[UUID] = ()
) -> list[SocialApp]:
    """The enabled connections' apps, and those of the ones under test; `provider` is a kind of the library or
    the provider id of one."""
    apps = [app_of(connection) for connection in _connections(provider, rehearsed_ids)]
    return [app for app in apps if client_id is None or app.client_id == client_id]


def _connections(provider: str | None, rehearsed_ids: Collection[UUID]) -> QuerySet[SsoConnection]:
    usable = Q(is_enabled=True) | Q(id__in=rehearsed_ids)
    enabled = SsoConnection.objects.filter(usable).prefetch_related("domains")
    if provider is None:
        return enabled
    if provider in _KINDS:
        return enabled.filter(kind=_KINDS[provider])
    return enabled.filter(id=connection_id_of(provider))


def app_of(connection: SsoConnection) -> SocialApp:
    config = opened(connection)
    domains = [row.domain for row in connection.domains.all() if row.verified_at]
    shared = {"verified_email": domains, "email_authentication": True}
    details = _oidc(config, connection) if isinstance(config, OidcConfig) else _saml(config, connection)
    return SocialApp(
        provider_id=connection.provider_id,
        name=connection.name,
        settings=shared | details.pop("settings"),
        **details,
    )


def _oidc(config: OidcConfig, connection: SsoConnection) -> dict[str, Any]:
    scopes = [*USUAL_SCOPES, *connection.extra_scopes.split()]
    return {
        "provider": "openid_connect",
        "client_id": config.client_id,
        "secret": config.client_secret,
        "settings": {"server_url": config.issuer.rstrip("/"), "scope": scopes},
    }


def _saml(config: SamlConfig, connection: SsoConnection) -> dict[str, Any]:
    """An answer must be signed, itself or its assertion, and must answer a request of this browser."""
    return {
        "provider": "saml",
        "client_id": connection.provider_id,
        "settings": {
            "attribute_mapping": _ATTRIBUTES,
            "idp": {
                "entity_id": config.entity_id,
                "sso_url": config.sso_url,
                "x509cert": config.certificate,
            },
            "advanced": {
                "strict": True,
                "reject_idp_initiated_sso": True,
                "reject_deprecated_algorithm": True,
                "want_attribute_statement": False,
                "allow_single_label_domains": True,
            },
        },
    }


def saml_app(provider_id: str) -> SocialApp:
    """Of a connection in any state. Raises SocialApp.DoesNotExist."""
    connection = SsoConnection.objects.filter(kind=SsoKind.SAML, id=connection_id_of(provider_id)).first()
    if connection is None:
        raise SocialApp.DoesNotExist
    return app_of(connection)
