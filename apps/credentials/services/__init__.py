"""Services of credentials, one module per kind. Each writes to the audit log and is announced."""

from apps.credentials.services.api_keys import api_key_create, api_key_rename, api_key_revoke
from apps.credentials.services.event_keys import (
    event_key_create,
    event_key_rename,
    event_key_reveal,
    event_key_revoke,
    event_key_set_filter,
)
from apps.credentials.services.provisioning import (
    environment_add,
    environment_provision,
    organisation_provision,
)
from apps.credentials.services.signing_keys import (
    signing_key_create_pending,
    signing_key_delete_pending,
    signing_key_reveal,
    signing_key_revoke_retired,
    signing_key_rotate,
)
from apps.credentials.services.tokens import token_create, token_revoke

__all__ = [
    "api_key_create",
    "api_key_rename",
    "api_key_revoke",
    "environment_add",
    "environment_provision",
    "event_key_create",
    "event_key_rename",
    "event_key_reveal",
    "event_key_revoke",
    "event_key_set_filter",
    "organisation_provision",
    "signing_key_create_pending",
    "signing_key_delete_pending",
    "signing_key_reveal",
    "signing_key_revoke_retired",
    "signing_key_rotate",
    "token_create",
    "token_revoke",
]
