"""Cursors and output ids: what is made is read back, anything else is refused."""

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from apps.api.graphql.cursors import (
    BadCursor,
    decode_event_cursor,
    decode_run_cursor,
    encode_event_cursor,
    encode_run_cursor,
)
from apps.api.graphql.output_ids import decode_output_id, encode_output_id
from apps.api.graphql.reads.run_pages import Order, Position
from apps.runs.trace import OutputRef

ULID = "01M8488PZN38TBQW5R170FD360"
ORDERS = [Order("started_at", descending=True), Order("queued_at", descending=False)]


def test_run_cursors() -> None:
    position = Position(ULID, {"started_at": 0, "queued_at": 1_795_439_221_000})
    cursor = encode_run_cursor(position)
    assert decode_run_cursor(cursor, ORDERS) == position
    assert decode_run_cursor(cursor, [Order("ended_at", descending=True)]) is None


def test_event_cursors() -> None:
    assert encode_event_cursor("01M8488PGZ5DHSSQ119ZF0S1KM") == (
        "eyJJRCI6IjAxTTg0ODhQR1o1REhTU1ExMTlaRjBTMUtNIn0="
    )
    assert decode_event_cursor(encode_event_cursor(ULID)) == ULID


@pytest.mark.parametrize(
    "ref",
    [OutputRef(ULID), OutputRef(ULID, "", 2), OutputRef(ULID, "ed77a2065797")],
)
def test_output_ids(ref: OutputRef) -> None:
    assert decode_output_id(encode_output_id(ref)) == ref


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_read_or_refused(text: str) -> None:
    decode_run_cursor(text, ORDERS)
    for decode, refusal in ((decode_event_cursor, BadCursor), (decode_output_id, GraphQLError)):
        try:
            decode(text)
        except refusal:
            continue
