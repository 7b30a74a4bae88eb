import contextlib
import json
import math
from typing import Any

import jcs  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.protocol.jcs import CanonicalError, canonicalise, number_text


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ('{ "b" : 1,\n "a" : [ true , null , false ] }', '{"a":[true,null,false],"b":1}'),
        ('{"b":{"d":1,"c":2},"a":0}', '{"a":0,"b":{"c":2,"d":1}}'),
        ("[1.50,1.0,1e21,12345678901234567890]", "[1.5,1,1e+21,12345678901234567000]"),
        ("[9007199254740993,-9007199254740993]", "[9007199254740992,-9007199254740992]"),
        ("[9007199254740991,-0,-0.0,0.0]", "[9007199254740991,0,0,0]"),
        ("[1e-6,1e-7,0.00001,123456789012345680000]", "[0.000001,1e-7,0.00001,123456789012345680000]"),
        ("[5e-324,1.7976931348623157e308,1e20]", "[5e-324,1.7976931348623157e+308,100000000000000000000]"),
        (
            "[333333333.33333329,4.50,2e-3,0.000000000000000000000000001]",
            "[333333333.3333333,4.5,0.002,1e-27]",
        ),
        ("1.0", "1"),
        ("1e21", "1e+21"),
        ("true", "true"),
        ('"x"', '"x"'),
        (r'"\u20ac\/\u000F\u000aA\u0022\\\b\f\t\r\u007f<>&é"', '"€/\\u000f\\nA\\"\\\\\\b\\f\\t\\r\x7f<>&é"'),
        ('{"a":1,"a":2}', '{"a":2}'),
        (r'["\ud83d\ude00","\ud83d"]', '["😀","�"]'),
    ],
)
def test_the_canonical_form(raw: str, canonical: str) -> None:
    assert canonicalise(raw.encode()).decode() == canonical


def test_keys_sort_by_utf16_code_units() -> None:
    raw = '{"\\u20ac":1,"\\r":2,"\\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7}'
    keys = list(json.loads(canonicalise(raw.encode())))
    assert keys == ["\r", "1", "\u0080", "ö", "€", "😀", "\ufb33"]


def test_keys_beyond_the_basic_plane_and_odd_numbers_at_once() -> None:
    raw = '{"\ufb33":1.0,"😀":[1e400]}'.replace("1e400", "1e30")
    assert canonicalise(raw.encode()).decode() == '{"😀":[1e+30],"\ufb33":1}'


@pytest.mark.parametrize("text", ["12e-4", ",1e-5", ":2.0,", "5.0]", "a.0}", "-1e+9"])
def test_strings_that_look_like_numbers_stay(text: str) -> None:
    raw = json.dumps({"k": text}, separators=(",", ":")).encode()
    assert canonicalise(raw) == raw


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"nope", b"[1e400]", b"[NaN]", b"\xff", b"[" * 2000 + b"]" * 2000]
)
def test_what_has_no_canonical_form(raw: bytes) -> None:
    with pytest.raises(CanonicalError):
        canonicalise(raw)


def test_nesting_beyond_pythons_own_limit() -> None:
    raw = b'{"a":[1.0,' * 500 + b"{}" + b"]}" * 500
    assert canonicalise(raw) == raw.replace(b"1.0", b"1")


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_as_the_same_double(number: float) -> None:
    text = number_text(number)
    assert float(text) == number
    assert ".0" not in text or not text.endswith(".0")
    assert ("e" in text) == (number != 0 and not 1e-6 <= abs(number) < 1e21)


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(_values)
def test_any_value_keeps_its_meaning_and_is_stable(value: Any) -> None:
    canonical = canonicalise(json.dumps(value).encode())
    assert canonicalise(canonical) == canonical
    assert _as_doubles(json.loads(canonical)) == _as_doubles(json.loads(json.dumps(value)))


@settings(deadline=None)
@given(_values)
def test_it_agrees_with_a_reference_implementation(value: Any) -> None:
    assert canonicalise(json.dumps(value).encode()) == jcs.canonicalize(_as_doubles(value))


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_have_a_form_or_are_refused(raw: bytes) -> None:
    with contextlib.suppress(CanonicalError):
        canonicalise(raw)


def _as_doubles(value: Any) -> Any:
    """Python's integers as JavaScript holds them: doubles."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        double = float(value)
        return double if math.fabs(double) >= 2**53 or not double.is_integer() else int(double)
    if isinstance(value, list):
        return [_as_doubles(item) for item in value]
    return {key: _as_doubles(item) for key, item in value.items()}
