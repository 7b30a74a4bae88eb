"""POST, GET and DELETE /v1/cancellations (spec 03, 4.7)."""

import json
import uuid

import pytest
from django.test import Client

from apps.engine.protocol.dates import rfc3339
from apps.engine.protocol.ids import is_ulid
from apps.operations.models import Cancellation
from apps.registry.models import App, Function
from apps.tenancy.models import Account, Environment
from tests.integration.history.life import ACCOUNT, APP, ENV, FUNCTION

pytestmark = pytest.mark.django_db

WINDOW = {"started_after": "2026-01-01T00:00:00Z", "started_before": "2026-01-02T03:04:05.006Z"}
BODY = {"app_id": "myapp", "function_id": "hello", **WINDOW}


@pytest.fixture(autouse=True)
def _function() -> None:
    tenant = {"account_id": uuid.UUID(ACCOUNT), "environment_id": uuid.UUID(ENV)}
    app = App.objects.create(id=APP, name="myapp", **tenant)
    Function.objects.create(
        id=FUNCTION, app=app, slug="myapp-hello", name="Hello", url="u", config="{}", spec="{}", **tenant
    )


def post(rest: Client, body: object) -> tuple[int, dict[str, object]]:
    text = body if isinstance(body, str) else json.dumps(body)
    answer = rest.generic("POST", "/v1/cancellations", text, content_type="application/json")
    return answer.status_code, answer.json()


def test_a_cancellation_is_created_and_listed(rest: Client) -> None:
    status, body = post(rest, {**BODY, "if": "event.data.n == 1"})
    made = Cancellation.objects.get()
    expected = {
        "id": made.id,
        "name": "",
        "created_at": rfc3339(made.created_at),
        "account_id": ACCOUNT,
        "environment_id": ENV,
        "app_id": APP,
        "function_internal_id": FUNCTION,
        "function_id": "hello",
        **WINDOW,
        "if": "event.data.n == 1",
        "kind": "bulk_run",
        "cause": "api",
        "queue_name": None,
    }
    assert (status, body["data"], list(body)) == (200, expected, ["data", "metadata"])
    assert is_ulid(made.id)
    assert (made.started_after, made.started_before) == (1_767_225_600_000, 1_767_323_045_006)

    status, body = post(rest, {**BODY, "function_id": "myapp-hello", "started_after": None})
    later = Cancellation.objects.exclude(id=made.id).get()
    data = body["data"]
    assert isinstance(data, dict)
    assert (status, data["id"], data["started_after"], "if" in data) == (200, later.id, None, False)

    assert [item["id"] for item in rest.get("/v1/cancellations").json()["data"]] == [later.id, made.id]
    assert rest.get("/v1/cancellations").json()["data"][1] == expected


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("", 400, "Invalid cancellation request"),
        ("[]", 400, "Invalid cancellation request"),
        ({**BODY, "app_id": 1}, 400, "Invalid cancellation request"),
        ({**BODY, "started_before": "yesterday"}, 400, "Invalid cancellation request"),
        ({}, 400, "app_id is required\nfunction_id is required\nstarted_before is required"),
        ({**BODY, "started_before": "2999-01-01T00:00:00Z"}, 400, "started_before must be in the past"),
        (
            {**BODY, "started_after": "2026-02-01T00:00:00Z"},
            400,
            "started_after must be before started_before",
        ),
        ({**BODY, "function_id": "nope"}, 404, "function not found"),
        ({**BODY, "app_id": "nope"}, 404, "function not found"),
    ],
)
def test_what_is_refused(rest: Client, body: object, status: int, message: str) -> None:
    assert post(rest, body) == (status, {"error": message, "data": None, "status": status})
    assert not Cancellation.objects.exists()


def test_a_bad_expression_is_explained(rest: Client) -> None:
    status, body = post(rest, {**BODY, "if": "event.data.n ="})
    assert (status, body["status"]) == (400, 400)
    assert str(body["error"]).startswith("invalid expression: ")
    assert not Cancellation.objects.exists()


def test_a_cancellation_is_deleted_once(rest: Client) -> None:
    post(rest, BODY)
    made = Cancellation.objects.get()
    answer = rest.delete(f"/v1/cancellations/{made.id.lower()}")
    assert (answer.status_code, answer.json()["data"]) == (200, {"ok": True})
    assert rest.get("/v1/cancellations").json()["data"] == []
    answer = rest.delete(f"/v1/cancellations/{made.id}")
    expected = {"error": "Cancellation not found", "data": None, "status": 404}
    assert (answer.status_code, answer.json()) == (404, expected)


def test_an_id_that_is_none(rest: Client) -> None:
    answer = rest.delete("/v1/cancellations/nope")
    expected = {"error": "Invalid cancellation ID", "data": None, "status": 400}
    assert (answer.status_code, answer.json()) == (400, expected)


def test_another_environments_cancellations_are_not_there(rest: Client) -> None:
    post(rest, BODY)
    made = Cancellation.objects.get()
    account = Account.objects.get(id=ACCOUNT)
    other = Environment.objects.create(account=account, name="other", slug="other")
    Cancellation.objects.update(environment=other)
    assert rest.get("/v1/cancellations").json()["data"] == []
    assert rest.delete(f"/v1/cancellations/{made.id}").status_code == 404


def test_a_server_asks_for_a_key(rest: Client, server_mode: None) -> None:
    assert post_status(rest) == 401
    assert rest.get("/v1/cancellations").status_code == 401
    assert not Cancellation.objects.exists()


def post_status(rest: Client) -> int:
    answer = rest.generic("POST", "/v1/cancellations", json.dumps(BODY), content_type="application/json")
    return answer.status_code
