"""Which environment a request is about. Only the development environment exists so far."""

import uuid

from django.http import HttpRequest

from apps.tenancy.models import DEV_ENVIRONMENT_ID, Environment


def environment_id(request: HttpRequest) -> uuid.UUID:
    return DEV_ENVIRONMENT_ID


def current_environment(request: HttpRequest) -> Environment:
    return Environment.objects.get(id=environment_id(request))
