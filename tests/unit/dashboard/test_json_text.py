import json
from html import unescape
from re import sub

from hypothesis import given
from hypothesis import strategies as st

from apps.dashboard.presenters.json_text import json_html, json_lines, json_plain

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_members_and_elements_get_lines_of_their_own() -> None:
    assert json_plain('{"a":[1,{"b":{}},[]],"c":"x"}') == (
        '{\n  "a": [\n    1,\n    {\n      "b": {}\n    },\n    []\n  ],\n  "c": "x"\n}'
    )


def test_numbers_and_escapes_stay_as_they_were_sent() -> None:
    assert json_plain('[1.00,1e400,123456789012345678901234567890,"\\u00e9\\ud83d"]') == (
        '[\n  1.00,\n  1e400,\n  123456789012345678901234567890,\n  "\\u00e9\\ud83d"\n]'
    )


def test_kinds_of_tokens_are_told_apart() -> None:
    [line] = json_lines('"text"')
    assert line.tokens == [("s", '"text"')]
    kinds = [kind for line in json_lines('{"k":[1,-2,true,null]}') for kind, _ in line.tokens]
    assert kinds == ["", "k", "", "", "n", "", "n", "", "l", "", "l", "", ""]


def test_markup_of_a_payload_is_escaped() -> None:
    html = json_html('{"<script>":"&</span><img src=x>"}')
    assert "<script>" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


@given(VALUES)
def test_pretty_text_means_the_same(value: object) -> None:
    raw = json.dumps(value)
    assert json.loads(json_plain(raw)) == value


@given(VALUES)
def test_markup_holds_exactly_the_pretty_text(value: object) -> None:
    raw = json.dumps(value)
    assert unescape(sub(r"<[^>]*>", "", json_html(raw))).strip() == json_plain(raw).strip()


@given(st.text())
def test_any_text_can_be_shown(text: str) -> None:
    html = json_html(text)
    assert sub(r'<span class="(code-line" data-depth="\d+|[ksnl])">|</span>', "", html).count("<") == 0


def test_depth_does_not_multiply_the_size() -> None:
    raw = "[" * 900 + "1," * 10_000 + "1" + "]" * 900
    assert len(json_plain(raw)) < 80 * 12_000
    assert len(json_html(raw)) < 160 * 12_000
