"""Options of the long-lived ops (spec 01, chapter 11; spec 02, 6.9 and 7)."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.protocol.op_options import (
    DeferOptions,
    InvalidOptions,
    SignalOptions,
    WaitOptions,
    defer_abort_target,
    defer_options,
    invoke_options,
    signal_options,
    sleep_due_ms,
    wait_options,
)
from apps.engine.protocol.opcodes import Op, parse_ops
from apps.engine.protocol.outbound_options import ai_options, gateway_options

NOW = 1_795_438_229_081
YEAR = 365 * 86_400_000

Reader = Callable[[Op, int], object]


def op(opcode: str, opts: object = None, /, **members: object) -> Op:
    (parsed,) = parse_ops(json.dumps({"op": opcode, "id": "h", "opts": opts, **members}).encode())
    return parsed


@pytest.mark.parametrize(
    ("opts", "name", "due_ms"),
    [
        ({"duration": "1s"}, "s", NOW + 1000),
        (None, "1h30m", NOW + 5_400_000),
        ({"duration": ""}, "250ms", NOW + 250),
        (None, "2026-11-23T12:50:31.684Z", 1_795_438_231_684),
        (None, "2020-01-01T00:00:00Z", NOW),
        (None, "0s", NOW),
        (None, "366d", NOW + 366 * 86_400_000),
    ],
)
def test_sleep(opts: object, name: str, due_ms: int) -> None:
    assert sleep_due_ms(op("Sleep", opts, name=name), NOW) == due_ms


def failure(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(InvalidOptions) as raised:
        call()
    return raised.value.name, raised.value.message


@pytest.mark.parametrize("text", ["367d", "2030-01-01T00:00:00Z"])
def test_sleep_too_long(text: str) -> None:
    assert failure(lambda: sleep_due_ms(op("Sleep", name=text), NOW)) == (
        "InngestErrTimeoutTooLong",
        f'The sleep "{text}" ends more than one year in the future; sleeps may last at most one year.',
    )


@pytest.mark.parametrize(
    ("kind", "read"),
    [("wait-for-event", wait_options), ("signal", signal_options), ("invoke", invoke_options)],
)
def test_timeout_too_long(kind: str, read: Reader) -> None:
    entry = op("WaitForEvent", {"timeout": "9000h", "event": "e", "signal": "s"})
    message = (
        f'The {kind} timeout "9000h" expires more than one year in the future; '
        "timeouts may last at most one year."
    )
    assert failure(lambda: read(entry, NOW)) == ("InngestErrTimeoutTooLong", message)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bogus", 'invalid duration "bogus"'),
        ("", 'invalid duration ""'),
        ("2026-13-45T00:00:00Z", 'invalid RFC 3339 timestamp "2026-13-45T00:00:00Z"'),
    ],
)
def test_unreadable_sleep(text: str, reason: str) -> None:
    entry = op("Sleep", name=text, displayName="nap")
    assert failure(lambda: sleep_due_ms(entry, NOW)) == (
        "InngestErrInvalidOpcode",
        f'invalid options for step "nap": {reason}',
    )


@pytest.mark.parametrize(
    ("opts", "expected"),
    [
        ({"timeout": "4s", "if": "a == b"}, WaitOptions("n", "a == b", NOW + 4000)),
        ({"timeout": "4s", "event": "app/x", "if": None}, WaitOptions("app/x", "", NOW + 4000)),
        ({"timeout": ""}, WaitOptions("n", "", NOW)),
        ({"timeout": None}, WaitOptions("n", "", NOW)),
        ({}, WaitOptions("n", "", NOW)),
        (None, WaitOptions("n", "", NOW)),
        ({"timeout": "2020-01-01T00:00:00Z"}, WaitOptions("n", "", NOW)),
    ],
)
def test_wait(opts: object, expected: WaitOptions) -> None:
    assert wait_options(op("WaitForEvent", opts, name="n"), NOW) == expected


@pytest.mark.parametrize(
    ("read", "opts", "reason"),
    [
        (wait_options, {"timeout": "soon"}, 'invalid duration "soon"'),
        (wait_options, {"timeout": 5}, "timeout is not a string"),
        (signal_options, {"signal": "s", "timeout": "soon"}, 'invalid duration "soon"'),
        (signal_options, {"signal": "s", "conflict": "fight"}, 'unknown conflict mode "fight"'),
        (invoke_options, {"payload": [1]}, "payload is not an object"),
        (invoke_options, {"timeout": {}}, "timeout is not a string"),
    ],
)
def test_invalid_options(read: Reader, opts: object, reason: str) -> None:
    entry = op("WaitForEvent", opts, name="n")
    assert failure(lambda: read(entry, NOW)) == (
        "InngestErrInvalidOpcode",
        f'invalid options for step "n": {reason}',
    )


def test_names_that_must_not_be_missing() -> None:
    assert failure(lambda: wait_options(op("WaitForEvent"), NOW))[1].endswith("event name is missing")
    assert failure(lambda: signal_options(op("WaitForSignal"), NOW))[1].endswith("signal name is missing")
    assert failure(lambda: gateway_options(op("Gateway", {})))[1].endswith("url is missing")
    assert failure(lambda: ai_options(op("AIGateway")))[1].endswith("url is missing")


@pytest.mark.parametrize(
    ("opts", "expected"),
    [
        ({"signal": "s", "timeout": "5s", "conflict": "replace"}, SignalOptions("s", NOW + 5000, "replace")),
        ({"signal": "s"}, SignalOptions("s", NOW + YEAR, "fail")),
        ({}, SignalOptions("n", NOW + YEAR, "fail")),
    ],
)
def test_signal(opts: object, expected: SignalOptions) -> None:
    assert signal_options(op("WaitForSignal", opts, name="n"), NOW) == expected


def test_invoke() -> None:
    payload = {"data": {"a": [1]}, "user": None, "v": None, "id": "e"}
    options = invoke_options(
        op("InvokeFunction", {"function_id": "my-app-callee", "payload": payload, "timeout": None}), NOW
    )
    assert options.function_id == "my-app-callee"
    assert {name: bytes(raw) for name, raw in options.payload.items()} == {
        "data": b'{"a": [1]}',
        "id": b'"e"',
    }
    assert options.expires_ms == NOW + YEAR


def test_invoke_without_function_is_the_callers_to_answer() -> None:
    assert invoke_options(op("InvokeFunction", {"timeout": "1s"}), NOW) == ("", {}, NOW + 1000)


@pytest.mark.parametrize(
    ("opts", "expected"),
    [
        ({"fn_slug": "f", "input": {"a": 1}, "meta": {"s": 1}}, DeferOptions("f", b'{"a": 1}', b'{"s": 1}')),
        ({"fn_slug": "f"}, DeferOptions("f", b"{}", b"")),
        ({"input": {}}, None),
        ({"fn_slug": "f", "input": [1]}, None),
        (None, None),
    ],
)
def test_defer(opts: object, expected: DeferOptions | None) -> None:
    assert defer_options(op("DeferAdd", opts)) == expected


def test_defer_abort() -> None:
    assert defer_abort_target(op("DeferAbort", {"target_hashed_id": "t", "id": "d"})) == "t"


def test_gateway() -> None:
    options = gateway_options(
        op(
            "Gateway",
            {"url": "https://x/", "method": "put", "headers": {"a": "b", "n": 1, "z": None}, "body": "t"},
        )
    )
    assert (options.url, options.method, options.headers, options.body) == (
        "https://x/",
        "PUT",
        {"a": "b", "n": "1"},
        "t",
    )


def test_gateway_defaults() -> None:
    options = gateway_options(op("Gateway", {"url": "https://x/", "headers": None, "body": None}))
    assert (options.method, options.headers, options.body) == ("", {}, None)


def test_gateway_bodies_that_are_not_text_are_sent_as_json() -> None:
    assert gateway_options(op("Gateway", {"url": "https://x/", "body": {"q": 1}})).body == '{"q": 1}'


def test_ai() -> None:
    options = ai_options(
        op(
            "AIGateway",
            {"url": "https://x/", "auth_key": "sk-1", "format": "anthropic", "body": {"model": "m"}},
        )
    )
    assert (options.format, options.auth_key, options.body) == ("anthropic", "sk-1", b'{"model": "m"}')
    assert ai_options(op("AIGateway", {"url": "https://x/"})).format == "openai-chat"


def test_secrets_are_not_shown() -> None:
    opts = {
        "url": "https://u:p@x/v1?key=AIza&alt=sse",
        "auth_key": "sk-1",
        "headers": {"Authorization": "Bearer z", "x-api-key": "k", "accept": "a"},
        "body": {"model": "m"},
    }
    entry = op("AIGateway", opts)
    view = json.loads(ai_options(entry).public_view())
    assert view == {
        "body": {"model": "m"},
        "format": "openai-chat",
        "headers": {"Authorization": "redacted", "x-api-key": "redacted", "accept": "a"},
        "url": "https://x/v1?key=redacted&alt=redacted",
    }
    gateway = json.loads(gateway_options(op("Gateway", {**opts, "body": "b"})).public_view())
    assert gateway == {"body": "b", "headers": view["headers"], "method": "", "url": view["url"]}
    assert "AIza" not in repr(ai_options(entry)) + repr(gateway_options(entry))


json_values = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2)
options = st.dictionaries(
    st.sampled_from(
        ["timeout", "duration", "event", "if", "signal", "conflict", "payload", "url", "headers", "body"]
    ),
    json_values | st.dictionaries(st.text(max_size=3), json_values, max_size=2),
)


def refusal(call: Callable[[], object]) -> str:
    try:
        call()
    except InvalidOptions as error:
        return error.name
    return ""


@given(options, st.text())
def test_any_options_are_read_or_refused(opts: dict[str, object], name: str) -> None:
    entry = op("Sleep", opts, name=name)
    names = {"", "InngestErrTimeoutTooLong", "InngestErrInvalidOpcode"}
    for read in (sleep_due_ms, wait_options, signal_options, invoke_options):
        assert refusal(lambda read=read: read(entry, NOW)) in names  # type: ignore[misc]
    assert refusal(lambda: gateway_options(entry).public_view()) in names
    assert refusal(lambda: ai_options(entry).public_view()) in names
    defer_options(entry)
