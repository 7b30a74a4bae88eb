"""No source and no event stalls a worker or raises anything but the two errors."""

import json
import time
from typing import cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apps.engine.expressions import (
    EvaluationError,
    ExpressionError,
    Program,
    bucket,
    compile_expression,
    match_outcome,
    validate,
)

BUDGET = "the expression takes too many evaluation steps"
TOO_DEEP = "the expression is nested too deeply"


def error_of(source: str, event: dict[str, object]) -> str | None:
    return match_outcome(compile_expression(source), event).error


def test_length_of_the_source() -> None:
    assert validate("'" + "x" * 4094 + "'") is None
    assert (
        validate("'" + "x" * 4095 + "'")
        == "the expression is longer than 4096 characters (at character 4097)"
    )


@pytest.mark.parametrize(
    "source",
    [
        "(" * 2000 + "1" + ")" * 2000,
        "[" * 4000,
        "!" * 4000 + "true",
        "- " * 2000 + "event.n",
        "1" + "+1" * 2000,
        "event" + ".a" * 2000,
        "event" + "[0]" * 1300,
        "event" + "[event" * 500 + "]" * 500,
        "{1:" * 1000 + "1" + "}" * 1000,
        "size(" * 600 + "''" + ")" * 600,
        "has(event.a) ? " * 200 + "1" + " : 1" * 200,
        "[1]" + ".map(x, x)" * 400,
    ],
)
def test_nesting_of_the_source(source: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    assert caught.value.message == TOO_DEEP


def test_long_but_flat_sources_are_fine() -> None:
    assert validate(" || ".join(["event.data.a == 'x'"] * 170)) is None
    assert validate(" ".join(f"event.data.a == {i} ? {i} :" for i in range(120)) + " 0") is None
    assert validate("(" * 60 + "1" + ")" * 60) is None
    assert validate(f"event.data.a in [{','.join(['1'] * 2000)}]") is None


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def test_deeply_nested_data_is_an_evaluation_error() -> None:
    event: dict[str, object] = {"a": deep(5000), "b": deep(5000)}
    assert error_of("event.a == event.b", event) == "the data is nested too deeply"
    assert error_of("'x' + event.a == ''", event) == "the data is nested too deeply"
    assert error_of("event.a == event.b || true", event) == "the data is nested too deeply"
    assert bucket(compile_expression("event.a"), event).kind == "error"


def test_deeply_nested_json_text_parses_to_an_empty_map() -> None:
    event: dict[str, object] = {"a": '{"a":' * 50_000}
    assert compile_expression("json_parse(event.a)").evaluate(event) == {}


@pytest.mark.parametrize(
    "source",
    [
        "event.l.all(x, true)",
        "event.l.exists(x, false) || true",
        "event.l.exists(x, false) ? 1 : true",
        "event.s.map(x, event.s.map(y, event.s.map(z, x)))",
        "event.s.exists(x, event.s.exists(y, event.s.exists(z, false)))",
        "['x']" + ".map(x, x + x)" * 60,
        "[['x']]" + ".map(x, x + x)" * 60,
        "'' + ['x']" + ".map(x, [x, x])" * 60,
        "['x']" + ".map(x, [x, x])" * 60 + " == ['x']" + ".map(x, [x, x])" * 60,
        "event.s.exists(x, uppercase(event.text) == x)",
        "event.s.exists(x, event.text.contains('ab' + string(x)))",
        "event.s.exists(x, event.text.matches('(x+x+)+y'))",
        "event.s.exists(x, event.text.startsWith('y') || string(x).matches('^y' + x))",
        "event.s.exists(x, 'no' in event.l)",
        "event.s.exists(x, -1 in event.l)",
    ],
)
def test_the_budget_ends_expensive_evaluations(source: str) -> None:
    event: dict[str, object] = {
        "l": list(range(20_000)) * 20,
        "s": list(range(100)) * 50,
        "text": "x" * 3_000_000,
    }
    started = time.monotonic()
    assert error_of(source, event) == BUDGET
    assert time.monotonic() - started < 5


def test_the_budget_leaves_room_for_ordinary_data() -> None:
    event: dict[str, object] = {"l": list(range(1000)), "text": "x" * 1_000_000}
    assert error_of("event.l.all(x, x >= 0)", event) is None
    assert error_of("999 in event.l && event.l == event.l", event) is None
    assert (
        error_of("event.text.contains('y') || event.text.matches('y$') || uppercase(event.text) == ''", event)
        is None
    )


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("a" * 513, "the regular expression is longer than 512 characters"),
        ("((a{100}){100}){100}", "invalid regular expression: invalid repetition size: {100}"),
        (r"\\pL{1000}", "invalid regular expression: pattern too large - compile failed"),
    ],
)
def test_regular_expressions_have_limits(pattern: str, message: str) -> None:
    assert validate(f"event.s.matches('{pattern}')") == f"{message} (at character 17)"
    open_pattern = pattern.replace("\\\\", "\\")
    assert error_of("event.s.matches(event.p)", {"s": "a", "p": open_pattern}) == message


def test_regular_expressions_take_linear_time() -> None:
    event: dict[str, object] = {"s": "a" * 10_000 + "b", "p": "(a+)+$"}
    started = time.monotonic()
    assert match_outcome(compile_expression("event.s.matches(event.p)"), event) == (False, None)
    assert time.monotonic() - started < 1


def test_text_that_is_not_valid_unicode() -> None:
    assert error_of("event.s.matches('x')", {"s": "\ud800"}) is None
    assert error_of("event.s.matches(event.p)", {"s": "", "p": "\ud800"}) == (
        "invalid regular expression: not valid Unicode"
    )


def test_huge_integers() -> None:
    event: dict[str, object] = {"n": 10**5000, "m": -(10**5000)}
    for source in (
        "event.n + 1",
        "event.n * event.m",
        "-event.n",
        "event.n == event.m",
        "event.n > 1.5",
        "date(event.n)",
    ):
        error_of(source, event)
    assert bucket(compile_expression("event.n"), event).text == "+Inf"
    assert bucket(compile_expression("'' + event.m"), event).text == "-Inf"
    assert error_of("int(event.n)", event) == "integer overflow"
    assert error_of("timestamp(event.n)", event) is not None
    assert error_of("event.list[event.n] == null", event | {"list": [1]}) is None


PIECES = """
event async vars .data .a .b ['a'] [0] [event.a] .size() size( string( int( uint( double( bytes( bool( type(
dyn( timestamp( duration( date( json_parse( b64decode( lowercase( uppercase( has( matches( .contains(
.startsWith( .matches( .getHours( .all(x, .exists(x, .exists_one(x, .map(x, .filter(x, now() now_plus(
now_minus( == != < <= > >= in + - * / % ! && || ? : ( ) [ ] { } , x 1 0 2u 1.5 1e308 'a' '5m' b'x' r'.*' true
false null '2024-05-05' 9223372036854775807 '(a|b)*' double ' " \\ //
"""
_NOISE = st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PIECES.split()), max_size=14).map(" ".join))

ATOMS = """
event.a event.b event.c async.a event x event.a.b event.b[1] async.b 1 2u 1.5 'a' '5m' b'x' true null now()
[1,'a'] {'a':1} event.a[0] 1e308 9223372036854775807 '2024-05-05' duration('1h') int
"""
FUNCTIONS = """
size string int uint double bytes bool type timestamp duration date json_parse b64decode lowercase now_plus
now_minus dyn
"""
SIGNS = "== != < <= > >= + - * / % in && ||"
_ATOMS = st.sampled_from(ATOMS.split())
_FUNCTIONS = st.sampled_from(FUNCTIONS.split())
_MEMBERS = st.sampled_from(["contains", "startsWith", "endsWith", "matches", "getHours"])
_MACROS = st.sampled_from(["all", "exists", "exists_one", "map", "filter"])
_SIGNS = st.sampled_from(SIGNS.split())
_SOURCES = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, _SIGNS, inner),
        st.builds("{}({})".format, _FUNCTIONS, inner),
        st.builds("{}.{}({})".format, inner, _MEMBERS, inner),
        st.builds("{}.{}(x, {})".format, inner, _MACROS, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("!{}".format, inner),
        st.builds("-{}".format, inner),
        st.builds("has({}.a)".format, inner),
    ),
    max_leaves=8,
)
_JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from([10**400, -(2**63), "5m", "2024-05-05T10:00:00Z", "(", "\ud800", "aGk="]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner)),
    max_leaves=6,
)
_EVENTS = st.dictionaries(st.sampled_from(["a", "b", "c", "data"]), _JSON)


def compiled(source: str) -> Program | None:
    try:
        return compile_expression(source)
    except ExpressionError:
        return None


def unforeseen_failure(source: str, event: dict[str, object]) -> BaseException | None:
    """The exception, if any, that the operators and functions do not handle themselves."""
    program = compiled(source)
    if program is None:
        return None
    bucket(program, event)
    try:
        program.evaluate(event, event)
    except EvaluationError as error:
        return error.__cause__
    return None


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(_NOISE, _EVENTS)
def test_no_text_raises_anything_else(source: str, event: dict[str, object]) -> None:
    assert unforeseen_failure(source, event) is None


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=400)
@given(_SOURCES, _EVENTS)
@example("timestamp(event.a)", {"a": float("nan")})
@example("duration('1h') * 2", {})
@example("event.a[event.b]", {"a": [1], "b": float("nan")})
def test_no_well_formed_expression_raises_anything_else(source: str, event: dict[str, object]) -> None:
    assert unforeseen_failure(f"[event.b].map(x, {source})", event) is None


@given(_JSON)
def test_data_is_returned_as_it_was_decoded(value: object) -> None:
    event = cast("dict[str, object]", json.loads(json.dumps({"data": {"v": value}})))
    data = cast("dict[str, object]", event["data"])
    assert compile_expression("event.data.v").evaluate(event) is data["v"]
