"""Logic, numbers, text and comparisons (spec 02, 2.4 and 2.5)."""

import math

import pytest

from apps.engine.expressions import EvaluationError, bucket, compile_expression, match_outcome
from apps.engine.expressions.values import Int, Uint, Value, kind_of

EVENT: dict[str, object] = {
    "data": {
        "n": 5,
        "f": 2.5,
        "s": "x",
        "t": True,
        "zero": 0,
        "e": "",
        "nul": None,
        "l": [],
        "o": {},
        "id": 2**63 + 1,
    }
}
FAILS = "(event.data.s < 4)"


def value_of(source: str) -> Value:
    return compile_expression(source).evaluate(EVENT)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("true && false", False),
        ("false || true", True),
        ("event.data.gone || event.data.s || 'z'", "x"),
        ("event.data.gone || event.data.zero", 0),
        ("event.data.zero || event.data.e", ""),
        ("event.data.s && event.data.n", 5),
        ("event.data.s && event.data.e && event.data.n", ""),
        ("event.data.l || 'z'", []),
        ("event.data.o || 'z'", {}),
        (f"{FAILS} || 'z'", "z"),
        (f"{FAILS} ? 'yes' : 'no'", "no"),
        ("event.data.n ? 'yes' : 'no'", "yes"),
        ("event.data.zero ? 'yes' : event.data.e ? 'yes' : event.data.l ? 'list' : 'no'", "list"),
        (f"false && {FAILS}", False),
        (f"true || {FAILS}", True),
        ("!(1 > 2)", True),
        ("!!true", True),
        ("1 + 2 * 3 - 4 / 2 % 3", 5),
        ("-(-3)", 3),
        ("- 3 + 1", -2),
    ],
)
def test_logic_and_precedence(source: str, expected: Value) -> None:
    assert value_of(source) == expected


@pytest.mark.parametrize(
    "source", [FAILS, f"{FAILS} && true", f"true && {FAILS}", f"false || {FAILS}", "!'x' || false"]
)
def test_an_operand_that_fails_last_fails_the_expression(source: str) -> None:
    if source.startswith("!"):
        source = "!event.data.s"
    with pytest.raises(EvaluationError):
        value_of(source)


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("1 + 2", "int", 3),
        ("1u + 2u", "uint", 3),
        ("1 + 2u", "double", 3.0),
        ("1 + 2.5", "double", 3.5),
        ("event.data.n + 1", "double", 6.0),
        ("event.data.n - 1", "double", 4.0),
        ("event.data.n / 2", "double", 2.5),
        ("event.data.n % 2", "double", 1.0),
        ("event.data.n * event.data.f", "double", 12.5),
        ("int(event.data.n) + 1", "int", 6),
        ("7 / 2", "int", 3),
        ("-7 / 2", "int", -3),
        ("-7 % 3", "int", -1),
        ("7 % -3", "int", 1),
        ("-9223372036854775808", "int", -(2**63)),
        ("0x10", "int", 16),
        ("18446744073709551615u", "uint", 2**64 - 1),
        ("1.0 / 0.0", "double", math.inf),
        ("-1.0 / 0.0", "double", -math.inf),
        ("-event.data.n", "double", -5.0),
        ("'a' + 'b'", "string", "ab"),
        ("b'a' + b'b'", "bytes", b"ab"),
        ("[1] + [2]", "list", [1, 2]),
    ],
)
def test_arithmetic(source: str, kind: str, expected: Value) -> None:
    value = value_of(source)
    assert (kind_of(value), value) == (kind, expected)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("9223372036854775807 + 1", "integer overflow"),
        ("-9223372036854775807 - 2", "integer overflow"),
        ("9223372036854775807 * 9223372036854775807", "integer overflow"),
        ("-9223372036854775808 / -1", "integer overflow"),
        ("-int('-9223372036854775808')", "integer overflow"),
        ("1u - 2u", "unsigned integer overflow"),
        ("1 / 0", "division by zero"),
        ("1 % 0", "modulus by zero"),
        ("event.data.n % 0", "modulus by zero"),
        ("event.data.s - 1", "no such overload: _-_(string, int)"),
        ("event.data.t + event.data.t", "no such overload: _+_(bool, bool)"),
        ("event.data.t * 2", "no such overload: _*_(bool, int)"),
        ("event.data.n > '4'", "no such overload: _>_(double, string)"),
        ("event.data.l < [1]", None),
        ("event.data.o < event.data.o", "no such overload: _<_(map, map)"),
        ("1 in event.data.s", "no such overload: @in(int, string)"),
        ("{event.data.t: 1}", "unsupported map key type 'bool'"),
        ("{'a': 1, event.data.gone || 'a': 2}", "repeated key in a map"),
    ],
)
def test_failures(source: str, message: str | None) -> None:
    if message is None:
        source, message = "event.data.l < event.data.l", "no such overload: _<_(list, list)"
    assert match_outcome(compile_expression(source), EVENT) == (False, message)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("'hi-' + 9.1 + '-' + true", "hi-9.1-true"),
        ("'a' + 5.0", "a5"),
        ("'a' + 5", "a5"),
        ("'a' + null", "a<nil>"),
        ("'a' + 0.1", "a0.1"),
        ("'a' + 1234567.0", "a1234567"),
        ("'a' + 9007199254740992.0", "a9007199254740992"),
        ("'a' + 1e17", "a1e+17"),
        ("'a' + event.data.id", "a9223372036854775809"),
        ("'a' + [1, 'b', [true, null]]", "a[1 b [true <nil>]]"),
        ("'a' + {'z': 1, 'b': {'c': 2.5}}", "amap[b:map[c:2.5] z:1]"),
        ("'a' + duration('90s')", "a90s"),
        ("'a' + timestamp('2024-05-05T10:00:00.5+02:00')", "a2024-05-05T08:00:00.5Z"),
        ("'a' + b'b'", "ab"),
        ("'a' + type(1)", "aint"),
        ("5 + 'a'", "5a"),
        ("[1] + 'a'", "[1]a"),
        ("true + 1", "true1"),
    ],
)
def test_display_text(source: str, expected: str) -> None:
    assert value_of(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 == 1.0", True),
        ("1u == 1", True),
        ("1 == true", False),
        ("true == 1", False),
        ("event.data.t == 1", False),
        ("event.data.t != 1", True),
        ("event.data.zero == false", False),
        ("'200' == 200", False),
        ("[1, true] == [1.0, true]", True),
        ("[1] == [true]", False),
        ("[1] == [1, 2]", False),
        ("{'a': [1]} == {'a': [1.0]}", True),
        ("{'a': 1} == {'b': 1}", False),
        ("{'a': 1} == {'a': true}", False),
        ("b'a' == 'a'", False),
        ("5.0 in [1, 5]", True),
        ("true in [1]", False),
        ("1 in [true, 'a']", False),
        ("'1' in [1]", False),
        ("[1] in [[1.0]]", True),
        ("null in [null]", True),
        ("'a' in {'a': 1}", True),
        ("1 in {1: 'a'}", True),
        ("{1: 'a'}[1.0]", "a"),
        ("[10, 20][1.0]", 20),
        ("1 < 1.5", True),
        ("'a' < 'b'", True),
        ("false < true", True),
        ("b'a' < b'b'", True),
        ("event.data.f >= 2.5", True),
        ("3 > event.data.f", True),
        ("event.data.id == 9223372036854775809u", True),
        ("event.data.id == 9223372036854775808u", False),
    ],
)
def test_comparison_across_kinds(source: str, expected: Value) -> None:
    assert value_of(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("type(1)", "int"),
        ("type(1u)", "uint"),
        ("type(event.data.n)", "double"),
        ("type(event.data.zero + 1)", "double"),
        ("type('')", "string"),
        ("type(null)", "null_type"),
        ("type([])", "list"),
        ("type({})", "map"),
        ("type(true)", "bool"),
        ("type(b'')", "bytes"),
        ("type(int)", "type"),
        ("type(now())", "google.protobuf.Timestamp"),
        ("type(duration('1s'))", "google.protobuf.Duration"),
    ],
)
def test_types(source: str, expected: str) -> None:
    assert repr(value_of(source)) == expected


def test_types_compare_by_name() -> None:
    assert value_of("type(event.data.s) == string && type(1) != double && type([]) == list") is True


def test_results_tell_integers_from_doubles() -> None:
    """What `priority.run` needs."""
    assert type(value_of("event.data.n > 0 ? 600 : 0")) is Int
    assert type(value_of("600u")) is Uint
    assert type(value_of("event.data.n")) is int
    assert kind_of(value_of("event.data.n")) == "double"


def test_a_key_with_a_lone_surrogate_is_encodable() -> None:
    assert bucket(compile_expression("event.data"), {"data": "\ud800é"}).text == "\\ud800é"
