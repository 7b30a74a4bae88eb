"""The tables of spec 02, 2.3, row by row. M is missing, N is null."""

import pytest

from apps.engine.expressions import MISSING, EvaluationError, compile_expression, matches
from apps.engine.expressions.values import Value

EVENT: dict[str, object] = {
    "data": {"n": None, "x": 7, "zero": 0, "empty": "", "no": False, "l": [1], "m": {"a": 1}}
}

M, M2, N, X = "event.data.gone", "event.data.gone2", "event.data.n", "event.data.x"


def value_of(source: str) -> Value:
    return compile_expression(source).evaluate(EVENT)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"{M} == null", True),
        (f"{M} != null", False),
        (f"{M} == {X}", False),
        (f"{M} == 0", False),
        (f"{M} == ''", False),
        (f"{M} == false", False),
        (f"{M} == event.data.zero", False),
        (f"{M} == event.data.empty", False),
        (f"{M} == event.data.no", False),
        (f"{X} == {M}", False),
        (f"{M} != {X}", True),
        (f"{M} != 7", True),
        (f"{M} == {M2}", False),
        (f"{M} != {M2}", True),
        (f"{M} < {X}", True),
        (f"{M} <= {X}", True),
        (f"{M} > {X}", False),
        (f"{M} >= {X}", False),
        (f"{X} < {M}", False),
        (f"{X} <= {M}", False),
        (f"{X} > {M}", True),
        (f"{X} >= {M}", True),
        (f"{M} < 'text'", True),
        (f"'text' < {M}", False),
        (f"{M} + {X}", 7),
        (f"{X} + {M}", 7),
        (f"{M} + 'a'", "a"),
        (f"{M} + {M2}", MISSING),
        (f"size({M})", 0),
        (f"{M}.size()", 0),
        (f"has({M})", False),
        (f"!has({M})", True),
        (f"string({M})", MISSING),
        (f"string({M}) == ''", False),
        (f"int({M})", MISSING),
        (f"type({M})", MISSING),
        (f"date({M})", MISSING),
        (f"lowercase({M})", MISSING),
        (f"{M}.startsWith('x')", MISSING),
        (f"'x'.contains({M})", MISSING),
        (f"{M} - 1", MISSING),
        (f"1 * {M}", MISSING),
        (f"-{M}", MISSING),
        (f"{X} in {M}", False),
        (f"{M}.exists(v, true)", False),
        (f"{M}.all(v, true)", False),
        (f"{M}.exists_one(v, true)", False),
        (f"{M}.map(v, v)", MISSING),
        (f"{M}.filter(v, true)", MISSING),
    ],
)
def test_missing(source: str, expected: Value) -> None:
    assert value_of(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"{N} == null", True),
        (f"{N} == {N}", True),
        (f"{N} != {N}", False),
        (f"{N} == {X}", False),
        (f"{N} != {X}", True),
        (f"{N} == 0", False),
        (f"{N} > 0", False),
        (f"{N} <= 0", True),
        (f"0 >= {N}", True),
        (f"{N} < 'foo'", True),
        (f"{N} < {X}", True),
        (f"{X} > {N}", True),
        (f"{N} >= event.data.empty", True),
        (f"{N} < true", True),
        (f"{N} < duration('1s')", True),
        (f"{N} < now()", True),
        (f"{N}.below", MISSING),
        (f"{N}.below == null", True),
        (f"{N}['below'] == null", True),
        (f"{M} == {N}", True),
        (f"{N} == {M}", True),
        (f"{N} != {M}", False),
        (f"{N} <= {M}", True),
        (f"{N} < {M}", False),
        (f"1 in {N}", False),
        (f"has({N})", True),
        (f"has({N}.x)", False),
        (f"{N} + 'a'", "<nil>a"),
    ],
)
def test_null(source: str, expected: Value) -> None:
    assert value_of(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "event.data.l[9]",
        "event.data.l[-1]",
        "event.data.l.a",
        "event.data.l['0']",
        "event.data.x.a",
        "event.data.m[0]",
    ],
)
def test_what_is_not_there_is_missing(source: str) -> None:
    assert value_of(source) is MISSING


@pytest.mark.parametrize(
    "source", [f"!{M}", f"!{N}", f"!{X}", f"{N} < event.data.l", f"size({N})", f"{N} + {N}"]
)
def test_what_fails(source: str) -> None:
    with pytest.raises(EvaluationError):
        value_of(source)
    assert matches(compile_expression(source), EVENT) is False


def test_a_missing_result_is_delivered_as_false() -> None:
    program = compile_expression(M)
    assert program.evaluate(EVENT) is MISSING
    assert program.result(EVENT) is False


def test_vars_is_declared_and_always_missing() -> None:
    assert value_of("vars.x == null") is True


def test_an_absent_user_is_an_empty_map_but_a_null_one_is_null() -> None:
    program = compile_expression("event.user == null")
    assert program.evaluate({"data": {}}) is False
    assert program.evaluate({"user": None}) is True
    assert compile_expression("event.user.id == null").evaluate({}) is True
    assert compile_expression("async.user").evaluate({}) is MISSING
    assert compile_expression("async.user").evaluate({}, {}) == {}
