"""Ids of apps and functions: derived from their names, so that a new database gives the same ones.

In the default environment they equal those of other servers (spec 03 1.6), which test suites embed.
"""

import uuid
from uuid import UUID

from apps.tenancy.models import DEV_ENVIRONMENT_ID


def app_id(environment_id: UUID, name: str) -> UUID:
    return uuid.uuid5(_namespace(environment_id), name)


def placeholder_id(environment_id: UUID, normalised_url: str) -> UUID:
    return uuid.uuid5(_namespace(environment_id), normalised_url)


def function_id(environment_id: UUID, name: str, step_url: str) -> UUID:
    return uuid.uuid5(_namespace(environment_id), name + step_url)


def _namespace(environment_id: UUID) -> UUID:
    return uuid.NAMESPACE_OID if environment_id == DEV_ENVIRONMENT_ID else environment_id
