"""`Idempotency-Key`: a call that changes something is carried out once (spec 05, 1.14 step 12)."""

from typing import TYPE_CHECKING

import pytest
import redis
from django.test import Client

from apps.api.rest import signals
from apps.operations.models import Cancellation
from apps.registry.models import Function
from tests.integration.api_graphql.data import make_app, make_function

pytestmark = pytest.mark.django_db

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

BODY = {"app_id": "myapp", "function_id": "hello", "started_before": "2026-01-01T00:00:00Z"}


@pytest.fixture
def hello() -> Function:
    return make_function(make_app("myapp"), "hello")


def cancel(rest: Client, key: str, body: object = BODY) -> "Answer":
    headers = {"Idempotency-Key": key} if key else {}
    return rest.post("/v1/cancellations", body, "application/json", headers=headers)


def test_the_first_answer_is_given_again(rest: Client, hello: Function) -> None:
    first, again = cancel(rest, "k1"), cancel(rest, "k1")
    assert (first.status_code, first.content) == (200, again.content)
    assert again["Content-Type"] == "application/json"
    assert (first.headers.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    assert Cancellation.objects.count() == 1
    cancel(rest, "k2")
    cancel(rest, "")
    assert Cancellation.objects.count() == 3


def test_answers_are_kept_encrypted(rest: Client, hello: Function, redis_client: redis.Redis) -> None:
    """Some have a secret in them, as that of a new webhook."""
    answer = cancel(rest, "k")
    (name,) = redis_client.keys("*idk*")
    kept = redis_client.get(name)
    assert isinstance(kept, bytes)
    assert answer.json()["data"]["id"].encode() not in kept


def test_a_refusal_is_given_again_too(rest: Client) -> None:
    answers = [cancel(rest, "k", {}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].content == answers[1].content


def test_a_key_is_that_of_one_request(rest: Client, hello: Function) -> None:
    cancel(rest, "k")
    other = cancel(rest, "k", {**BODY, "if": "event.data.n == 1"})
    assert (other.status_code, other.json()) == (
        409,
        {
            "code": "idempotency_conflict",
            "error": "The key was used for another request",
            "data": None,
            "status": 409,
        },
    )
    assert Cancellation.objects.count() == 1


def test_a_request_that_is_under_way_is_not_repeated(
    rest: Client, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, object]] = []

    def parse(body: bytes) -> signals.Signal:
        if not seen:
            seen.append(signal(rest).json())
        return signals.Signal("s")

    monkeypatch.setattr(signals, "_parse", parse)
    assert signal(rest).status_code == 404
    assert seen == [
        {
            "code": "idempotency_conflict",
            "error": "A request with this key is under way",
            "data": None,
            "status": 409,
        }
    ]


def signal(rest: Client) -> "Answer":
    return rest.post("/v1/signals", b"{}", "application/json", headers={"Idempotency-Key": "k"})


def test_what_failed_is_tried_again(rest: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(body: bytes) -> signals.Signal:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr(signals, "_parse", fail)
        assert signal(rest).status_code == 500
    assert signal(rest).status_code == 400


def test_keys_have_an_end_and_reading_needs_none(rest: Client, redis_client: redis.Redis) -> None:
    assert cancel(rest, "k" * 256).status_code == 400
    assert rest.get("/v1/cancellations", headers={"Idempotency-Key": "k"}).status_code == 200
    assert redis_client.keys("*idk*") == []


def test_answers_are_kept_for_a_day(rest: Client, redis_client: redis.Redis) -> None:
    signal(rest)
    (key,) = redis_client.keys("*idk*")
    assert 86_000 < redis_client.ttl(key) <= 86_400
