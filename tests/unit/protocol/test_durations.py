import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.protocol.durations import MAX_MS, DurationError, format_duration, parse_duration_ms


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("10s", 10_000),
        ("1h30m", 5_400_000),
        ("1w3d", 864_000_000),
        ("1500ms", 1_500),
        ("1.5h", 5_400_000),
        (".5s", 500),
        ("1.s", 1_000),
        ("0s", 0),
        ("2m2m", 240_000),
        ("1s1ms", 1_001),
        ("2000us", 2),
        ("2000µs", 2),
        ("2000\u03bcs", 2),
        ("1000000ns", 1),
        ("365d", 31_536_000_000),
    ],
)
def test_pairs_of_numbers_and_units_add_up(text: str, milliseconds: int) -> None:
    assert parse_duration_ms(text) == milliseconds


@pytest.mark.parametrize("text", ["1ns", "1us", "0.1ms", "0.0000000001s"])
def test_a_fraction_of_a_millisecond_is_rounded_up(text: str) -> None:
    assert parse_duration_ms(text) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10",
        "s",
        ".s",
        "1 s",
        " 1s",
        "1s ",
        "1S",
        "-1s",
        "+1s",
        "1e3s",
        "1y",
        "1s2",
        "1,5s",
        "\u0661s",
        "1s\n",
    ],
)
def test_other_texts_are_refused_by_name(text: str) -> None:
    with pytest.raises(DurationError) as caught:
        parse_duration_ms(text)
    assert str(caught.value) == f"invalid duration: {text!r}"


def test_values_that_no_number_could_hold_are_refused() -> None:
    with pytest.raises(DurationError):
        parse_duration_ms("9" * 40 + "w")
    with pytest.raises(DurationError):
        parse_duration_ms("1s" * 51)
    assert parse_duration_ms(f"{MAX_MS}ms") == MAX_MS


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0s"), (1, "1ms"), (1_500, "1s500ms"), (5_400_000, "1h30m"), (864_000_000, "1w3d")],
)
def test_the_shown_form_is_short(milliseconds: int, text: str) -> None:
    assert format_duration(milliseconds) == text


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=MAX_MS))
def test_the_shown_form_parses_back(milliseconds: int) -> None:
    assert parse_duration_ms(format_duration(milliseconds)) == milliseconds


@settings(deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="0123456789.smhdwunµ ", max_size=120)))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    with contextlib.suppress(DurationError):
        assert 0 <= parse_duration_ms(text) <= MAX_MS
