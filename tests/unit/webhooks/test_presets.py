"""Each preset makes of its sample the events that it promises."""

import base64
import hmac
import json

import pytest

from apps.webhooks.bodies import parsed_body
from apps.webhooks.incoming import Incoming
from apps.webhooks.presets import Preset, intent_transform, presets
from apps.webhooks.runtime.messages import Call, Ending, Function, Result
from apps.webhooks.runtime.pool import ScriptPool
from apps.webhooks.scripts import emitted_events, response_of, script_call
from apps.webhooks.verification.config import Verification, options_from
from apps.webhooks.verification.verify import verify

NOW_MS = 1_764_000_100_000


def incoming_of(preset: Preset) -> Incoming:
    sample = preset.sample
    headers = {name.lower(): value for name, value in sample.headers.items()}
    headers["content-type"] = sample.content_type
    return Incoming("POST", headers, sample.query, sample.body.encode(), NOW_MS)


def called(pool: ScriptPool, source: str, incoming: Incoming, function: Function) -> Result:
    parsed = parsed_body(incoming.content_type, incoming.body)
    return pool.run_sync("presets", script_call(source, incoming, parsed, function=function))


def test_the_presets() -> None:
    assert list(presets()) == [
        "generic",
        "clerk",
        "github",
        "intercom",
        "linear",
        "resend",
        "shopify",
        "slack",
        "stripe",
        "twilio",
    ]


@pytest.mark.parametrize("preset", presets().values(), ids=presets().keys())
def test_the_sample_becomes_its_events(pool: ScriptPool, preset: Preset) -> None:
    result = called(pool, preset.transform, incoming_of(preset), Function.TRANSFORM)
    assert result.ending == Ending.OK, result.message
    events = emitted_events(result.value, meta={}, received_ms=NOW_MS, max_bytes=100_000)
    assert [event.name for event in events] == preset.sample.event_names
    assert [event.has_own_id for event in events] == [preset.id != "generic"]
    assert json.loads(events[0].body)["data"]


@pytest.mark.parametrize("preset", presets().values(), ids=presets().keys())
def test_scripts_of_presets_may_be_saved(pool: ScriptPool, preset: Preset) -> None:
    assert pool.run_sync("p", Call(preset.transform, function=Function.CHECK)).ending == Ending.OK
    if preset.respond:
        call = Call(preset.respond, function=Function.CHECK_RESPOND)
        assert pool.run_sync("p", call).ending == Ending.OK


@pytest.mark.parametrize("preset", presets().values(), ids=presets().keys())
def test_scripts_of_presets_are_portable(preset: Preset) -> None:
    """A plain function, which stricter servers take as well (spec 05, 2.5)."""
    assert "\nfunction transform(evt, headers, queryParams, raw) {" in preset.transform
    assert preset.setup
    assert preset.title


@pytest.mark.parametrize("preset", [preset for preset in presets().values() if preset.verification])
def test_verification_of_presets_is_complete(preset: Preset) -> None:
    assert preset.verification is not None
    options = options_from(preset.verification.scheme, preset.verification.options)
    verdict = verify(Verification(preset.verification.scheme, options, "d2VsbA=="), {}, b"", 0)
    assert verdict.reason.endswith("is missing")


def test_intercom_signs_with_sha1() -> None:
    preset = presets()["intercom"]
    assert preset.verification is not None
    options = options_from(preset.verification.scheme, preset.verification.options)
    body = preset.sample.body.encode()
    headers = {"x-hub-signature": "sha1=" + hmac.digest(b"client secret", body, "sha1").hex()}
    found = verify(Verification(preset.verification.scheme, options, "client secret"), headers, body, 0)
    assert found.is_verified


def test_slack_asks_who_owns_the_url(pool: ScriptPool) -> None:
    respond = presets()["slack"].respond
    body = b'{"token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmd","type":"url_verification"}'
    incoming = Incoming("POST", {"content-type": "application/json"}, {}, body, NOW_MS)
    answer = response_of(called(pool, respond, incoming, Function.RESPOND).value)
    assert answer is not None
    assert (answer.status, answer.body) == (200, b"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmd")
    event = called(pool, respond, incoming_of(presets()["slack"]), Function.RESPOND)
    assert response_of(event.value) is None


def test_slack_commands(pool: ScriptPool) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    incoming = Incoming("POST", headers, {}, b"command=%2Fdeploy&text=now", NOW_MS)
    result = called(pool, presets()["slack"].transform, incoming, Function.TRANSFORM)
    assert json.loads(result.value)["data"]["command"] == "/deploy"


def test_twilio_calls_and_messages(pool: ScriptPool) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    names = []
    for body in (b"CallSid=CA1&CallStatus=ringing", b"MessageSid=SM1&MessageStatus=delivered"):
        incoming = Incoming("POST", headers, {}, body, NOW_MS)
        result = called(pool, presets()["twilio"].transform, incoming, Function.TRANSFORM)
        names.append(json.loads(result.value)["name"])
    assert names == ["twilio/call.ringing", "twilio/message.delivered"]


@pytest.mark.parametrize(
    ("body", "name", "data"),
    [
        ({"type": "a", "data": {"x": 1}}, "acme/a", {"x": 1}),
        ({"name": "b", "data": [1]}, "acme/b", {"name": "b", "data": [1]}),
        ({"event_type": "c"}, "acme/c", {"event_type": "c"}),
        ({}, "acme/received", {}),
    ],
)
def test_the_transform_of_intents(
    pool: ScriptPool, body: dict[str, object], name: str, data: dict[str, object]
) -> None:
    result = pool.run_sync("p", Call(intent_transform("acme"), event=json.dumps(body)))
    assert json.loads(result.value) == {"name": name, "data": data}


def test_the_prefix_of_an_intent_is_text(pool: ScriptPool) -> None:
    source = intent_transform('"; evil(); "')
    assert json.loads(pool.run_sync("p", Call(source)).value)["name"] == '"; evil(); "/received'


def test_svix_secrets_are_base64() -> None:
    assert base64.b64decode("d2VsbA==") == b"well"
