"""Which environment a request is about."""

import uuid

from django.conf import settings
from django.http import HttpRequest

from apps.dashboard.tenant import environment_of
from apps.tenancy.models import DEV_ENVIRONMENT_ID, Environment


def environment_id(request: HttpRequest) -> uuid.UUID:
    return DEV_ENVIRONMENT_ID if settings.STEPWELL_MODE == "dev" else environment_of(request).id


def current_environment(request: HttpRequest) -> Environment:
    return environment_of(request)
