"""Equality terms find every wait that an event matches (spec 02, 7.2 'Scaling')."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apps.engine.expressions import (
    MISSING,
    EqualityTerms,
    compile_expression,
    equality_terms,
    index_key,
    lookup,
    matches,
)
from apps.engine.expressions.comparison import is_equal
from apps.engine.expressions.scope import Meter
from apps.engine.expressions.values import Value

ID = ("data", "id")
RUN: dict[str, object] = {"data": {"id": "u1", "n": 5, "nul": None, "list": [1], "yes": True}}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("async.data.id == event.data.id", EqualityTerms(((ID, "u1"),), True)),
        ("event.data.id == async.data.id", EqualityTerms(((ID, "u1"),), True)),
        ("async.data['id'] == 'x'", EqualityTerms(((ID, "x"),), True)),
        ("async.name == 'a/b'", EqualityTerms(((("name",), "a/b"),), True)),
        ("async.data.id == event.data.n + 1", EqualityTerms(((ID, 6.0),), True)),
        ("async.data.id == lowercase('A')", EqualityTerms(((ID, "a"),), True)),
        ("async.data.id == event.data.yes", EqualityTerms(((ID, True),), True)),
        (
            "async.data.id == event.data.id && (async.data.n == 1 && true == async.data.t)",
            EqualityTerms(((ID, "u1"), (("data", "n"), 1), (("data", "t"), True)), True),
        ),
        ("async.data.id == 'x' && async.data.n > 1", EqualityTerms(((ID, "x"),), False)),
        ("async.data.id == event.data.gone", EqualityTerms((), False)),
        ("async.data.id == event.data.nul", EqualityTerms((), False)),
        ("async.data.id == null", EqualityTerms((), False)),
        ("async.data.id == event.data.list", EqualityTerms((), False)),
        ("async.data.id == (event.data.id > 1)", EqualityTerms((), False)),
        ("async.data.id == async.data.other", EqualityTerms((), False)),
        ("async.data.id == string(now())", EqualityTerms((), False)),
        ("async.data.ids[0] == 'x'", EqualityTerms((), False)),
        ("async.data.id != 'x'", EqualityTerms((), False)),
        ("async.data.id == 'x' || async.data.id == 'y'", EqualityTerms((), False)),
        ("!(async.data.id == 'x')", EqualityTerms((), False)),
        ("async == 'x'", EqualityTerms((), False)),
        ("event.data.id == 'u1'", EqualityTerms((), False)),
        ("true", EqualityTerms((), False)),
    ],
)
def test_terms(source: str, expected: EqualityTerms) -> None:
    assert equality_terms(compile_expression(source), RUN) == expected


def test_at_most_four_terms() -> None:
    source = " && ".join(f"async.data.k{i} == {i}" for i in range(6))
    terms = equality_terms(compile_expression(source), RUN)
    assert [path for path, _ in terms.terms] == [("data", f"k{i}") for i in range(4)]
    assert terms.is_complete is False


@pytest.mark.parametrize("value", [None, MISSING, [], {}, float("nan"), b"x"])
def test_what_cannot_be_indexed_has_no_key(value: Value) -> None:
    assert index_key(ID, value) == ""


def test_keys_tell_paths_apart() -> None:
    keys = {
        index_key(("a", "b"), "c"),
        index_key(("a",), "b"),
        index_key(("ab",), "c"),
        index_key(("a", "b", "c"), ""),
    }
    assert len(keys) == 4


def test_a_key_never_changes() -> None:
    assert index_key(ID, "u1") == "deead4110d13d1dd23cf5e76903fa684"


def test_lookup() -> None:
    event: dict[str, object] = {"data": {"id": 1, "l": [1]}}
    assert lookup(event, ID) == 1
    assert lookup(event, ("data", "l", "0")) is MISSING
    assert lookup(event, ("user", "id")) is MISSING


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from(
        [0.0, -0.0, 1.0, 0.5, 2**53, 2**53 + 1, float(2**53), 10**400, float("inf"), float("nan")]
    ),
    st.sampled_from(["", "a", "1", "true", "\ud800"]),
)
_VALUES: st.SearchStrategy[Value] = st.one_of(_SCALARS, st.lists(_SCALARS, max_size=2), st.just({}))
_DATA = st.dictionaries(st.sampled_from("ab"), _VALUES)
_FEW = st.sampled_from([None, True, False, 0, 0.0, 1, 1.0, "1", ""])
_SIMILAR_DATA = st.fixed_dictionaries({"a": _FEW, "b": _FEW})
_OPERANDS = st.sampled_from(
    [
        "event.data.a",
        "event.data.b",
        "async.data.a",
        "async.data['b']",
        "async.user.a",
        "event.data.a + 1",
        "1",
        "0",
        "1.0",
        "1u",
        "'a'",
        "''",
        "'1'",
        "true",
        "false",
        "null",
        "0.5",
        "9007199254740993",
    ]
)
_COMPARISONS = st.one_of(
    st.builds("{} {} {}".format, _OPERANDS, st.sampled_from(["==", "!="]), _OPERANDS),
    st.builds("async.data.{} == {}".format, st.sampled_from("ab"), _OPERANDS),
    st.builds("{} == async.data.{}".format, _OPERANDS, st.sampled_from("ab")),
)
_EXPRESSIONS = st.recursive(
    st.one_of(_COMPARISONS, _OPERANDS.filter(lambda text: "data" in text)),
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
    ),
    max_leaves=4,
)


_CONJUNCTIONS = st.lists(
    st.sampled_from(
        [
            "async.data.a == event.data.a",
            "event.data.b == async.data.b",
            "async.data.a == event.data.b",
            "async.data.b != 'x'",
            "async.data.a == 1",
            "true == async.data.b",
            "async.data.a == null",
        ]
    ),
    min_size=1,
    max_size=3,
).map(" && ".join)


# The arriving event mostly has what the run's event has, so that many expressions match.
_PAIRS = st.builds(
    lambda data, changed: (data, {**data, **changed}),
    st.one_of(_SIMILAR_DATA, _DATA),
    st.one_of(st.just({}), st.just({}), _DATA),
)


@settings(max_examples=300)
@given(st.one_of(_EXPRESSIONS, _CONJUNCTIONS), _PAIRS)
@example("async.data.a == event.data.a", ({"a": 1}, {"a": 1.0}))
@example("async.data.a == event.data.a", ({"a": True}, {"a": 1}))
@example("async.data.a == event.data.a", ({}, {"a": None}))
def test_terms_are_sound_and_complete(source: str, pair: tuple[dict[str, object], dict[str, object]]) -> None:
    data, async_data = pair
    program = compile_expression(source)
    run, arriving = {"data": data}, {"data": async_data}
    terms, is_complete = equality_terms(program, run)
    found = [index_key(path, value) == index_key(path, lookup(arriving, path)) for path, value in terms]
    if matches(program, run, arriving):
        assert all(found)
    elif is_complete:
        assert not all(found)


@given(_SCALARS, _SCALARS)
def test_keys_are_equal_exactly_for_equal_values(left: Value, right: Value) -> None:
    key, other = index_key(ID, left), index_key(ID, right)
    if key and other:
        assert (key == other) is is_equal(left, right, Meter())
