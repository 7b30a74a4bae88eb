"""Sending events, invoking, cancelling and rerunning, down to what the engine then holds."""

from typing import cast

import pytest
import redis
from django.contrib.messages import get_messages
from django.test import Client

from apps.engine.bridge import engine_call
from apps.engine.clock import now_ms
from apps.engine.event_stream import EventEntry, parse_entry
from apps.engine.keys import Keys
from apps.registry.selectors import live_specs
from tests.browser import seed_ids as ids
from tests.browser.seed_history import History, scheduled
from tests.integration.dashboard.pages import text


def stream(client: "redis.Redis") -> list[EventEntry]:
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(Keys("0").events))
    return [parse_entry(fields) for _, fields in entries]


@pytest.fixture
def events(redis_client: "redis.Redis") -> "redis.Redis":
    return redis_client


def notes(client: Client, url: str) -> list[str]:
    return [str(message) for message in get_messages(client.get(url).wsgi_request)]


def test_an_event_is_sent(seeded: Client, events: "redis.Redis") -> None:
    body = '{"name": "shop/order.placed", "data": {"n": 1.50}, "id": "mine"}'
    response = seeded.post("/events/send", {"body": body})
    assert (response.status_code, response["Location"]) == (302, "/events")
    [entry] = stream(events)
    assert entry.name == "shop/order.placed"
    assert (entry.env_id, entry.account_id) == (str(ids.ENV_ID), str(ids.ACCOUNT_ID))
    assert b'"data":{"n": 1.50},"id":"mine"' in entry.body
    assert entry.context.remember


def test_several_events_are_sent_at_once(seeded: Client, events: "redis.Redis") -> None:
    seeded.post("/events/send", {"body": '[{"name": "a"}, {"name": "b"}]'})
    assert [entry.name for entry in stream(events)] == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "Enter an event: a JSON object with a name."),
        ('{"data": {}}', "event name is empty"),
        ('{"name": "a", "data": 1}', "event data must be an object"),
        (
            '[{"name": "a"}, {"name": "inngest/x"}]',
            "Event 2: event name is reserved for internal use: inngest/x",
        ),
        ('{"name": "a", "ts": 1}', "timestamp is before Jan 1, 1980"),
    ],
)
def test_bad_events_are_refused_with_the_field_and_nothing_is_sent(
    seeded: Client, events: "redis.Redis", body: str, error: str
) -> None:
    response = seeded.post("/events/send", {"body": body})
    assert response.status_code == 422
    assert error in text(response)
    assert stream(events) == []


def test_in_the_dialog_a_form_answers_with_itself_or_with_where_to_go(seeded: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "dialog-body"}
    refused = seeded.post("/events/send", {"body": "{"}, headers=headers)
    sent = seeded.post("/events/send", {"body": '{"name": "a"}'}, headers=headers)
    assert refused.status_code == 422
    assert text(refused).startswith("<form")
    assert (sent.status_code, sent["HX-Redirect"]) == (204, "/events")


def test_sending_again_drops_what_would_make_it_the_same_event(seeded: Client) -> None:
    html = text(seeded.get(f"/events/send?like={ids.LONELY_EVENT}"))
    assert "shop/newsletter.opened" in html
    assert "&quot;campaign&quot;: &quot;spring&quot;" in html
    assert ids.LONELY_EVENT not in html
    assert "&quot;ts&quot;" not in html


def test_a_function_is_invoked(seeded: Client, events: "redis.Redis") -> None:
    response = seeded.post("/functions/shop-fulfil-order/invoke", {"data": '{"orderId": "A"}'})
    assert response["Location"] == "/functions/shop-fulfil-order"
    [entry] = stream(events)
    assert entry.name == "inngest/function.invoked"
    assert (entry.context.function_id, entry.context.source) == (str(ids.FULFIL), "invoke")
    assert entry.sender == "dashboard"
    assert b'"orderId":"A"' in entry.body


@pytest.mark.parametrize("data", ["[1]", "{", '{}, "name": "x"', "1"])
def test_only_an_object_can_be_invoked_with(seeded: Client, events: "redis.Redis", data: str) -> None:
    response = seeded.post("/functions/shop-fulfil-order/invoke", {"data": data})
    assert response.status_code == 422
    assert 'id="invoke-error"' in text(response)
    assert stream(events) == []


def test_cancelling_asks_first_and_changes_nothing(seeded: Client) -> None:
    html = text(seeded.get(f"/runs/{ids.RUNNING_RUN}/cancel"))
    assert "Cancel this run?" in html
    assert f'method="post" action="/runs/{ids.RUNNING_RUN}/cancel"' in html


def test_cancelling_an_ended_run_says_so(seeded: Client) -> None:
    url = f"/runs/{ids.COMPLETED_RUN}"
    assert seeded.post(f"{url}/cancel")["Location"] == url
    assert notes(seeded, url) == ["The run had ended already."]


def test_a_rerun_of_a_function_that_the_engine_does_not_know_is_refused(seeded: Client) -> None:
    response = seeded.post(f"/runs/{ids.COMPLETED_RUN}/rerun")
    assert response.status_code == 422
    assert "Function not found." in text(response)


def test_a_rerun_starts_and_can_be_cancelled(seeded: Client) -> None:
    specs = live_specs()
    engine_call(lambda engine: engine.publish_functions(specs))
    response = seeded.post(f"/runs/{ids.COMPLETED_RUN}/rerun")
    run_id = response["Location"].removeprefix("/runs/")
    assert is_live(run_id)
    scheduled_run(run_id)
    assert seeded.post(f"/runs/{run_id}/cancel")["Location"] == f"/runs/{run_id}"
    assert not is_live(run_id)
    assert notes(seeded, f"/runs/{run_id}") == ["The rerun has started.", "The run was cancelled."]


def is_live(run_id: str) -> bool:
    return engine_call(lambda engine: engine.is_live(str(ids.ENV_ID), run_id))


def scheduled_run(run_id: str) -> None:
    """Store the run as the history writer would."""
    history = History()
    history.add(scheduled(run_id, ids.FULFIL, ids.SHOP, "shop/order.placed", now_ms(), [ids.COMPLETED_EVENT]))
    history.write()


def test_rerunning_from_a_step_keeps_the_step_in_the_form(seeded: Client) -> None:
    html = text(seeded.get(f"/runs/{ids.COMPLETED_RUN}/rerun?step=abc"))
    assert "Rerun from this step?" in html
    assert f'action="/runs/{ids.COMPLETED_RUN}/rerun?step=abc"' in html
