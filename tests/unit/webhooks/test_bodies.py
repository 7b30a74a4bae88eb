"""What scripts get of a body."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.webhooks.bodies import BodyInvalid, parsed_body

FORM = "application/x-www-form-urlencoded"
BOUNDARY = "multipart/form-data; boundary=xYz"


def event(content_type: str, body: bytes) -> object:
    return json.loads(parsed_body(content_type, body).event)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "text/json",
        "",
        FORM,
        "application/cloudevents+json",
        "application/vnd.api+json",
    ],
)
def test_json(content_type: str) -> None:
    assert event(content_type, b' {"a": [1, null]} ') == {"a": [1, None]}


def test_any_json_value() -> None:
    assert [event("application/json", body) for body in (b"[1]", b'"text"', b"7", b"null", b"true")] == [
        [1],
        "text",
        7,
        None,
        True,
    ]


def test_json_keeps_its_text() -> None:
    body = b'{"id": 12345678901234567890, "x": "\\ud83d"}'
    assert parsed_body("application/json", body).event == body.decode()


@pytest.mark.parametrize("body", [b"{", b"{'a':1}", b"a=1", b"NaN", b"[1] [2]", b"[" * 5000, b"\xff{}"])
def test_what_calls_itself_json_must_be_json(body: bytes) -> None:
    with pytest.raises(BodyInvalid):
        parsed_body("application/json", body)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert event("application/json", b"\xef\xbb\xbf{}") == {}


def test_forms_are_arrays_of_strings() -> None:
    assert event(FORM, b"a=1&b=x+y%21&a=2&empty=&%C3%A9=%C3%A9") == {
        "a": ["1", "2"],
        "b": ["x y!"],
        "empty": [""],
        "é": ["é"],
    }


def test_a_form_that_begins_like_json_but_is_none_is_a_form() -> None:
    assert event(FORM, b"{x=1") == {"{x": ["1"]}


def test_multipart_forms_without_their_files() -> None:
    body = (
        b'--xYz\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        b'--xYz\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xc3\xa9\r\n'
        b'--xYz\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\x00\x01\r\n--xYz--\r\n"
    )
    parsed = parsed_body(BOUNDARY, body)
    assert json.loads(parsed.event) == {"a": ["1", "é"]}
    assert parsed.raw == body.decode()


@pytest.mark.parametrize("content_type", ["text/plain", "text/xml", "application/octet-stream", "x"])
def test_other_types_give_an_empty_object_and_the_text(content_type: str) -> None:
    assert parsed_body(content_type, b'{"a":1}') == ("{}", '{"a":1}')


def test_without_a_type_only_json_is_read() -> None:
    assert parsed_body("", b"{broken") == ("{}", "{broken")
    assert parsed_body("", b"a=1") == ("{}", "a=1")


@pytest.mark.parametrize("content_type", ["application/json", FORM, BOUNDARY, "", "text/plain"])
def test_nothing_is_an_empty_object(content_type: str) -> None:
    assert parsed_body(content_type, b"") == ("{}", "")
    assert parsed_body(content_type, b" \r\n").event == "{}"


def test_too_many_fields() -> None:
    with pytest.raises(BodyInvalid, match="more than 1000 fields"):
        parsed_body(FORM, b"&".join(b"a=1" for _ in range(1001)))


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\x00",
        "multipart/form-data; boundary=xYz; charset=nonsense",
    ],
)
def test_multipart_that_cannot_be_read(content_type: str) -> None:
    with pytest.raises(BodyInvalid, match="cannot be read"):
        parsed_body(content_type, b'--xYz\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--xYz--')


def test_raw_text_that_is_no_utf_8() -> None:
    assert parsed_body("text/plain", b"a\xffb").raw == "a\ufffdb"


TYPES = st.one_of(
    st.sampled_from(["application/json", FORM, BOUNDARY, "", "text/plain", "multipart/form-data"]),
    st.text(alphabet=st.characters(max_codepoint=255), max_size=60),
    st.builds("multipart/form-data; boundary={}".format, st.text(st.characters(max_codepoint=255))),
)
PARTS = st.sampled_from(
    [
        b"--xYz",
        b"--xYz--",
        b"\r\n",
        b"\r\n\r\n",
        b"Content-Disposition: form-data; name=",
        b'"a"',
        b"a=1&",
        b'; filename="f"',
        b"Content-Transfer-Encoding: base64\r\n",
        b"{",
        b"[",
        b"\x00",
        b"\xff",
        b"%zz",
    ]
)
BODIES = st.one_of(st.binary(max_size=400), st.lists(PARTS, max_size=30).map(b"".join))


@given(TYPES, BODIES)
def test_no_body_raises_anything_else(content_type: str, body: bytes) -> None:
    try:
        parsed = parsed_body(content_type, body)
    except BodyInvalid:
        return
    json.loads(parsed.event)
    parsed.raw.encode()
