"""The test tool: scripts that are not saved, on deliveries that are not real."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from apps.webhooks.choices import Outcome
from apps.webhooks.exceptions import ScriptInvalid, ScriptsBusy
from apps.webhooks.models import Delivery
from apps.webhooks.services.testing import (
    BURST,
    TestDelivery,
    TestResult,
    respond_test,
    transform_compare,
    transform_test,
    transform_test_deliveries,
)
from tests.integration.credentials.world import Organisation
from tests.integration.webhooks.world import Hook, make_hook

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

NAMED = "function transform(e) { console.log('seen', e); return {name: e.type, data: e}; }"


def outcome_of(
    org: Organisation, script: str, payload: str = '{"type":"a"}', **options: object
) -> TestResult:
    delivery = TestDelivery(payload, **options)  # type: ignore[arg-type]
    return transform_test(account_id=org.account.id, transform=script, delivery=delivery)


def test_a_result_and_what_the_console_said(acme: Organisation) -> None:
    result = outcome_of(acme, NAMED)
    assert result.is_ok
    assert json.loads(result.output) == {"name": "a", "data": {"type": "a"}}
    assert (result.event_names, result.console) == (("a",), ('seen {"type":"a"}',))
    assert "\n  " in result.output


def test_headers_query_and_type(acme: Organisation) -> None:
    script = "var transform = (evt, headers, query, raw) => ({name: 'x', data: {evt, headers, query, raw}});"
    result = outcome_of(
        acme,
        script,
        "a=1&a=2",
        headers={"x-GITHUB-event": "push"},
        query={"q": ["1", "2"]},
        content_type="application/x-www-form-urlencoded",
    )
    assert json.loads(result.output)["data"] == {
        "evt": {"a": ["1", "2"]},
        "headers": {"X-Github-Event": "push", "Content-Type": "application/x-www-form-urlencoded"},
        "query": {"q": ["1", "2"]},
        "raw": "a=1&a=2",
    }


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("function transform(e) { return {data: e}; }", "the event has no name"),
        ("function transform(e) { return {name: 'a'}; }", "the event has no data"),
        ("function transform(e) { return [{name: 'a', data: e}, {}]; }", "event 2: the event has no name"),
    ],
)
def test_the_first_missing_field_is_named_and_the_output_shown(
    acme: Organisation, script: str, error: str
) -> None:
    result = outcome_of(acme, script)
    assert (result.error, bool(result.output), result.event_names) == (error, True, ())


def test_a_script_error_with_its_place(acme: Organisation) -> None:
    result = outcome_of(acme, "function transform(e) {\n  console.log(1);\n  return e.a.b;\n}")
    assert result.error.startswith("TypeError: Cannot read properties of undefined")
    assert (result.line, result.column, result.console, result.output) == (3, 14, ("1",), "")


def test_a_drop(acme: Organisation) -> None:
    result = outcome_of(acme, "const transform = () => null;")
    assert (result.is_dropped, result.is_ok, result.output) == (True, True, "null")


def test_a_payload_that_is_no_json(acme: Organisation) -> None:
    assert outcome_of(acme, NAMED, "{").error == "The payload: invalid JSON"


def test_limits_hold_here_too(acme: Organisation) -> None:
    assert (
        outcome_of(acme, "function transform() { for (;;); }").error == "the script took longer than 500 ms"
    )
    with pytest.raises(ScriptInvalid):
        outcome_of(acme, "x" * 70_000)


def test_a_response_function(acme: Organisation) -> None:
    script = "const respond = (body) => ({status: 200, body: body.challenge});"
    delivery = TestDelivery('{"challenge":"c"}')
    result = respond_test(account_id=acme.account.id, respond=script, delivery=delivery)
    assert (json.loads(result.output), result.is_ok) == ({"status": 200, "body": "c"}, True)
    bad = "const respond = () => ({status: 302});"
    assert not respond_test(account_id=acme.account.id, respond=bad, delivery=delivery).is_ok


def test_a_changed_script_beside_the_saved_one(acme: Organisation) -> None:
    found = make_hook(acme.production, NAMED)
    same = transform_compare(webhook=found.webhook, transform=NAMED, delivery=TestDelivery('{"type":"a"}'))
    assert not same.differs
    other = NAMED.replace("e.type", "'fixed'")
    changed = transform_compare(webhook=found.webhook, transform=other, delivery=TestDelivery('{"type":"a"}'))
    assert (changed.differs, changed.edited.event_names, changed.saved.event_names) == (
        True,
        ("fixed",),
        ("a",),
    )


def delivered(found: Hook, number: int, body: Mapping[str, object]) -> None:
    text = json.dumps(body).encode()
    Delivery.objects.create(
        id=f"{number:026d}",
        webhook=found.webhook,
        environment_id=found.webhook.key.environment_id,
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        method="POST",
        status=200,
        outcome=Outcome.ACCEPTED,
        headers={"Content-Type": "application/json"},
        body=text,
        body_bytes=len(text),
    )


def test_all_deliveries_at_once(acme: Organisation) -> None:
    found = make_hook(acme.production)
    for number, body in enumerate([{"type": "a"}, {}, {"type": "c"}]):
        delivered(found, number, body)
    results = transform_test_deliveries(webhook=found.webhook, transform=NAMED)
    assert [(int(row.id), result.is_ok) for row, result in results] == [(2, True), (1, False), (0, True)]


def test_a_script_that_never_ends_is_not_tried_on_all_deliveries(acme: Organisation) -> None:
    found = make_hook(acme.production)
    for number in range(4):
        delivered(found, number, {})
    script = "function transform() { for (;;); }"
    assert len(transform_test_deliveries(webhook=found.webhook, transform=script)) == 1


def test_an_account_tests_at_a_rate(acme: Organisation, globex: Organisation) -> None:
    with pytest.raises(ScriptsBusy):
        burst(acme, int(BURST) + 50)
    assert outcome_of(globex, NAMED).is_ok


def burst(org: Organisation, times: int) -> None:
    for _ in range(times):
        outcome_of(org, "const transform = () => null;")
