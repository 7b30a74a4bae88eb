"""What is refused before there is an event, with which message and where."""

import pytest

from apps.engine.expressions import ExpressionError, compile_expression, validate
from apps.engine.expressions.values import Value


@pytest.mark.parametrize(
    ("source", "message", "position"),
    [
        ("", "Syntax error: unexpected end of expression", 0),
        ("event.data. ==", "Syntax error: unexpected '=='", 12),
        ("event.data.n = 5", "Syntax error: unexpected character '='", 13),
        ("event.data.n ==", "Syntax error: unexpected end of expression", 15),
        ("(event.data.n", "Syntax error: unexpected end of expression", 13),
        ("event.data.n)", "Syntax error: unexpected ')'", 12),
        ("event event", "Syntax error: unexpected 'event'", 6),
        ("event.data['n'", "Syntax error: unexpected end of expression", 14),
        ("[1 2]", "Syntax error: unexpected '2'", 3),
        ("{'a' 1}", "Syntax error: unexpected '1'", 5),
        ("true ? 1", "Syntax error: unexpected end of expression", 8),
        ("size(1,)", "Syntax error: unexpected ')'", 7),
        ("event.'data'", "Syntax error: unexpected ''data''", 6),
        ("'open", "Syntax error: unterminated string", 0),
        ("'two\nlines'", "Syntax error: unterminated string", 0),
        ("'a\\", "Syntax error: unterminated string", 0),
        (r"'\q'", "Syntax error: invalid escape in string", 1),
        (r"'ab\ud800'", "Syntax error: invalid escape in string", 3),
        (r"'\U00110000'", "Syntax error: invalid escape in string", 1),
        ("while", "Syntax error: unexpected 'while'", 0),
        ("a in in", "Syntax error: unexpected 'in'", 5),
        ("1 == 9223372036854775808", "invalid int literal: out of range", 5),
        ("18446744073709551616u", "invalid uint literal: out of range", 0),
        ("1" * 200, "Syntax error: the number is too long", 0),
        ("Msg{a: 1}", "Syntax error: unexpected '{'", 3),
        ("foo.data == 1", "undeclared reference to 'foo'", 0),
        ("event.data.x == bar", "undeclared reference to 'bar'", 16),
        ("lower(event.data.s)", "undeclared reference to 'lower'", 0),
        ("event.data.s.lowerAscii() == 'x'", "undeclared reference to 'lowerAscii'", 13),
        ("event.data.l.map(x, y)", "undeclared reference to 'y'", 20),
        ("event.data.l.map(x, x)[0] == x", "undeclared reference to 'x'", 29),
        ("'a' > 1", "found no matching overload for '_>_' applied to '(string, int)'", 4),
        ("[1] < [2]", "found no matching overload for '_<_' applied to '(list, list)'", 4),
        ("'a' - 1", "found no matching overload for '_-_' applied to '(string, int)'", 4),
        ("event.data.n * 'a'", "found no matching overload for '_*_' applied to '(dyn, string)'", 13),
        ("true + false", "found no matching overload for '_+_' applied to '(bool, bool)'", 5),
        ("!'a'", "found no matching overload for '!_' applied to '(string)'", 0),
        ("-'a'", "found no matching overload for '-_' applied to '(string)'", 0),
        ("1 in 'abc'", "found no matching overload for '@in' applied to '(int, string)'", 2),
        ("'abc'[0]", "found no matching overload for '_[_]' applied to '(string, int)'", 5),
        ("[1]['a']", "found no matching overload for '_[_]' applied to '(list, string)'", 3),
        ("'a'.b", "type 'string' does not support field selection", 4),
        ("{true: 1}", "unsupported map key type 'bool'", 1),
        ("size(1)", "found no matching overload for 'size' applied to '(int)'", 0),
        ("size()", "found no matching overload for 'size' applied to '()'", 0),
        ("'a'.startsWith(1)", "found no matching overload for 'startsWith' applied to 'string.(int)'", 4),
        (
            "startsWith('a', 'b')",
            "found no matching overload for 'startsWith' applied to '(string, string)'",
            0,
        ),
        ("'A'.lowercase()", "found no matching overload for 'lowercase' applied to 'string.()'", 4),
        ("int(null)", "found no matching overload for 'int' applied to '(null_type)'", 0),
        ("now() - 5", "found no matching overload for '_-_' applied to '(timestamp, int)'", 6),
        ("has(event)", "invalid argument to has() macro", 0),
        ("has(event.a, event.b)", "invalid argument to has() macro", 0),
        ("[1].map('x', 1)", "argument must be a simple name", 8),
        ("[1].all(x)", "found no matching overload for 'all': a variable and an expression are needed", 4),
        ("event.s.matches('(')", "invalid regular expression: missing ): (", 16),
        ("event.s.matches('(?=a)')", "invalid regular expression: invalid perl operator: (?=", 16),
    ],
)
def test_message_and_position(source: str, message: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    assert (caught.value.message, caught.value.position) == (message, position)
    assert validate(source) == f"{message} (at character {position + 1})"


def test_comprehension_over_what_is_no_list() -> None:
    assert validate("'abc'.exists(x, x == 'a')") == (
        "expression of type 'string' cannot be range of a comprehension (must be list, map, or dynamic)"
        " (at character 1)"
    )


@pytest.mark.parametrize(
    "source",
    [
        "'200' == 200",
        "null > 1",
        "event.data > 'a'",
        "null",
        "1 + 'a'",
        "type(1) == double",
        "[1, 2,]",
        "{'a': 1,}",
        "event.data.package.in.true == 1",
        "event // a comment\n.data",
        ".event.data.a",
        "1 < 2 == true",
    ],
)
def test_accepted(source: str) -> None:
    assert validate(source) is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (r"'a\n\t\'\"\\\x41\101\u00e9\U0001F600'", "a\n\t'\"\\AAé😀"),
        (r"r'\d'", r"\d"),
        (r'R"\d"', r"\d"),
        ("'''it's\ntwo'''", "it's\ntwo"),
        ('"""say "hi" """', 'say "hi" '),
        (r"b'\xff\101é'", b"\xffA\xc3\xa9"),
        (r"br'\x'", b"\\x"),
        ("''", ""),
        ("1.5e3", 1500.0),
        (".5", 0.5),
        ("1e-2", 0.01),
        ("0xFFu", 255),
        ("-0x10", -16),
    ],
)
def test_literals(source: str, expected: Value) -> None:
    value = compile_expression(source).evaluate({})
    assert value == expected
    assert isinstance(value, type(expected))


@pytest.mark.parametrize(
    ("source", "violation"),
    [
        ("event.data.s.startsWith('x')", "function calls are disallowed (uses 'startsWith')"),
        ("event.data.n + 1 == 2", "function calls are disallowed (uses '_+_')"),
        ("-event.data.n == 2", "function calls are disallowed (uses '-_')"),
        ("date(event.data.n) > now()", "function calls are disallowed (uses 'date')"),
        ("has(event.data.s)", "macros are disallowed (contains 'has')"),
        ("size(event.data.l) == 1 || event.data.l.exists(x, x)", "macros are disallowed (contains 'exists')"),
    ],
)
def test_restricted_policy_refuses(source: str, violation: str) -> None:
    assert validate(source) is None
    assert validate(source, restricted=True) == violation


@pytest.mark.parametrize(
    "source",
    [
        "event.data.id == async.data.id && async.data.n >= -1",
        "int(async.data.n) in [1, 2u, 3.5] || !(async.data['k'] != null)",
        "async.data.t ? double(event.data.n) < 2.0 : uint(event.data.n) > 1u",
    ],
)
def test_restricted_policy_allows(source: str) -> None:
    assert validate(source, restricted=True) is None


def test_restricted_policy_reports_compile_errors_too() -> None:
    assert validate("foo == 1", restricted=True) == "undeclared reference to 'foo' (at character 1)"
