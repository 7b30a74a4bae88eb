"""Functions and macros (spec 02, 2.2)."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from apps.engine import clock
from apps.engine.expressions import MISSING, EvaluationError, compile_expression, match_outcome
from apps.engine.expressions.values import Value

EVENT: dict[str, object] = {
    "data": {"s": "Hello", "n": 5.9, "list": ["a", "b", "b"], "map": {"k": 1, "l": 2}}
}


def value_of(source: str) -> Value:
    return compile_expression(source).evaluate(EVENT)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("size('日本')", 2),
        ("[1, 2].size()", 2),
        ("size({'a': 1})", 1),
        ("size(b'abc')", 3),
        ("event.data.s.contains('ell')", True),
        ("event.data.s.startsWith('He')", True),
        ("event.data.s.endsWith('lo')", True),
        ("event.data.s.matches('l+')", True),
        ("event.data.s.matches('^l')", False),
        ("matches(event.data.s, '(?i)^hello$')", True),
        (r"'a.b'.matches(r'^\w\.\w$')", True),
        ("lowercase(event.data.s)", "hello"),
        ("uppercase(event.data.s)", "HELLO"),
        ("int('42')", 42),
        ("int('-42')", -42),
        ("int(5.9)", 5),
        ("int(-5.9)", -5),
        ("int(event.data.n)", 5),
        ("int(timestamp('1970-01-01T00:01:00Z'))", 60),
        ("uint('42')", 42),
        ("uint(3.0)", 3),
        ("double('1e3')", 1000.0),
        ("double(1)", 1.0),
        ("string(1.50)", "1.5"),
        ("string(true)", "true"),
        ("string(b'abc')", "abc"),
        ("string(duration('1m'))", "60s"),
        ("bytes('é')", b"\xc3\xa9"),
        ("bool('true')", True),
        ("bool('F')", False),
        ("dyn(1)", 1),
        ("b64decode('aGk=')", "hi"),
        ("b64decode('aGk')", MISSING),
        ("b64decode('!!')", MISSING),
        ("b64decode('/w==')", MISSING),
        ("b64decode(event.data.n)", MISSING),
        ('json_parse(\'{"a": {"b": [1]}}\').a.b[0]', 1),
        ("json_parse('[1]')", {}),
        ("json_parse('{')", {}),
        ("json_parse(event.data.n)", {}),
        ("event.data.list.exists(x, x == 'b')", True),
        ("event.data.list.exists(x, x == 'c')", False),
        ("event.data.list.exists_one(x, x == 'a')", True),
        ("event.data.list.exists_one(x, x == 'b')", False),
        ("event.data.list.all(x, size(x) == 1)", True),
        ("[].all(x, false)", True),
        ("event.data.list.map(x, x + '1')", ["a1", "b1", "b1"]),
        ("event.data.list.map(x, x == 'b', x + '1')", ["b1", "b1"]),
        ("event.data.list.filter(x, x != 'b')", ["a"]),
        ("event.data.map.map(k, event.data.map[k])", [1, 2]),
        ("event.data.map.exists(k, k == 'l')", True),
        ("[1, 'a'].filter(x, x > 0)", [1]),
        ("[1, 'a'].all(x, x > 0)", False),
        ("[[1, 2], [3]].map(x, x.map(y, y * 2))", [[2, 4], [6]]),
        ("[1, 2].map(x, [x, 3].map(x, x + 1)[0] + x)", [3, 5]),
        ("[1].map(event, event + 1)", [2]),
        ("[{'a': 1}].map(async, async.a)", [1]),
        ("[1, 2].exists(x, x == 2 && event.data.n > x)", True),
    ],
)
def test_result(source: str, expected: Value) -> None:
    assert value_of(source) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("int('4.2')", "int: the text is not an integer"),
        ("int('')", "int: the text is not an integer"),
        ("int('٣')", "int: the text is not an integer"),
        ("int(1e300)", "integer overflow"),
        ("int(1.0 / 0.0)", "int: the number is out of range"),
        ("uint('-1')", "unsigned integer overflow"),
        ("double('1_0')", "double: the text is not a number"),
        ("bool('yes')", "bool: the text is not a boolean"),
        ("string(event.data.list)", "no such overload: string(list)"),
        (r"string(b'\xff')", "string: the bytes are not UTF-8"),
        ("event.data.n.startsWith('x')", "no such overload: startsWith(double, string)"),
        ("size(event.data.n)", "no such overload: size(double)"),
        ("event.data.s.map(x, x)", "no such overload: map(string)"),
        ("[1, 'a'].map(x, x - 1)", "no such overload: _-_(string, int)"),
        ("timestamp('yesterday')", "invalid timestamp"),
        ("duration('5 minutes')", "invalid duration"),
        ("event.data.s.matches('(' + event.data.s)", "invalid regular expression: missing ): (Hello"),
    ],
)
def test_failure(source: str, message: str) -> None:
    assert match_outcome(compile_expression(source), EVENT) == (False, message)


@pytest.fixture
def noon() -> Iterator[None]:
    clock.set_time_source(lambda: datetime(2024, 5, 5, 12, tzinfo=UTC).timestamp())
    yield
    clock.set_time_source(None)


@pytest.mark.usefixtures("noon")
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("now()", datetime(2024, 5, 5, 12, tzinfo=UTC)),
        ("now_plus('1h30m')", datetime(2024, 5, 5, 13, 30, tzinfo=UTC)),
        ("now_minus('1d')", datetime(2024, 5, 4, 12, tzinfo=UTC)),
        ("now_minus(duration('1s'))", datetime(2024, 5, 5, 11, 59, 59, tzinfo=UTC)),
        ("now() - duration('1s') < now()", True),
    ],
)
def test_the_time_comes_from_the_engines_clock(source: str, expected: Value) -> None:
    assert value_of(source) == expected


def test_a_shift_out_of_the_calendar_fails() -> None:
    with pytest.raises(EvaluationError, match="out of range"):
        value_of("now_plus('400000000h')")
