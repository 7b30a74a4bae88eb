"""GET /v1/apps/{app_id}/functions (spec 03, 4.8)."""

import uuid
from datetime import UTC, datetime

import pytest
from django.test import Client

from apps.registry.models import App, Function
from tests.integration.history.life import ACCOUNT, ENV

pytestmark = pytest.mark.django_db

APP_ID = uuid.UUID("40768630-6bea-56a2-af77-60abc06ba30f")
TENANT = {"account_id": uuid.UUID(ACCOUNT), "environment_id": uuid.UUID(ENV)}


def test_an_unknown_app_has_none(rest: Client) -> None:
    answer = rest.get("/v1/apps/nope/functions")
    assert (answer.status_code, answer.content) == (200, b"[]\n")


def test_functions_of_an_app(rest: Client) -> None:
    app = App.objects.create(id=APP_ID, name="myapp", **TENANT)
    function = Function.objects.create(
        app=app,
        slug="myapp-hello",
        name="Hello",
        url="u",
        config='{"id": "myapp-hello"}',
        spec="{}",
        **TENANT,
    )
    Function.objects.filter(id=function.id).update(created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert rest.get("/v1/apps/myapp/functions").json() == [
        {
            "internal_id": str(function.id),
            "env_id": ENV,
            "app_id": str(APP_ID),
            "id": "myapp-hello",
            "name": "Hello",
            "config": {"id": "myapp-hello"},
            "created_at": "2026-01-02T03:04:05Z",
            "archived_at": "0001-01-01T00:00:00Z",
        }
    ]
