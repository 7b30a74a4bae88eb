"""Who may call the REST faces, and for which environment (spec 03, 2.1 and 2.2)."""

import uuid

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.engine.protocol import signing
from apps.registry import configuration
from apps.tenancy.models import DEV_ENVIRONMENT_ID


class SigningKeyRequired(BasePermission):
    """A signing key or its hash as bearer token; in dev mode nothing is asked for."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if settings.STEPWELL_MODE == "dev":
            return True
        keys = configuration.signing_keys()
        token = signing.bearer_token(request.headers.get("Authorization", ""))
        return bool(keys and token) and signing.bearer_matches(token, keys)


def environment_of(request: Request) -> uuid.UUID:
    """The environment that the request's credential belongs to."""
    return DEV_ENVIRONMENT_ID
