"""Who sends events: what the event path needs of the pipeline (apps/credentials/resolution.py)."""

from collections.abc import Mapping
from urllib.parse import parse_qs

from apps.credentials.configured import ConfiguredDirectory
from apps.credentials.resolution import CredentialResolver
from apps.ingest.asgi_types import Scope
from apps.ingest.options import IngestOptions

_ENV_HEADER = b"x-inngest-env"


def configured_resolver(options: IngestOptions) -> CredentialResolver:
    """Knows the keys of the options and no others: for a process without a database."""
    directory = ConfiguredDirectory(options.event_keys, options.signing_keys)
    return CredentialResolver(directory, is_open=options.mode == "dev")


def environment_name(scope: Scope, headers: Mapping[bytes, bytes]) -> str:
    """The branch that the sender names, by header or, as webhooks do, in the query."""
    header = headers.get(_ENV_HEADER)
    if header is not None:
        return header.decode(errors="replace")
    query: bytes = scope.get("query_string", b"")
    if _ENV_HEADER not in query.lower():
        return ""
    try:
        fields = parse_qs(query.decode(errors="replace"), max_num_fields=100)
    except ValueError:  # more fields than anyone needs
        return ""
    return next((values[0] for name, values in fields.items() if name.lower() == "x-inngest-env"), "")


def client_ip(scope: Scope) -> str:
    """The connection's address; the server in front has resolved trusted proxies."""
    client = scope.get("client")
    return str(client[0]) if client else ""
