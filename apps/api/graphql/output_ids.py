"""`outputID` of spans: base64 of the names of a payload (spec 03, 6.9). It holds no secrets: whoever
resolves it may only read runs of the own environment."""

import base64
import binascii

import msgspec
from graphql import GraphQLError

from apps.runs.trace import OutputRef


class _OutputID(msgspec.Struct, omit_defaults=True):
    rid: str
    sid: str | None = None
    att: int = 0


def encode_output_id(ref: OutputRef) -> str:
    return base64.b64encode(msgspec.json.encode(_OutputID(ref.run_id, ref.step_id, ref.attempt))).decode()


def decode_output_id(text: str) -> OutputRef:
    """Raises GraphQLError."""
    try:
        fields = msgspec.json.decode(base64.b64decode(text.encode(), validate=True), type=_OutputID)
    except (binascii.Error, ValueError) as error:
        raise GraphQLError("error parsing outputID: not an output id") from error
    return OutputRef(fields.rid, fields.sid, fields.att)
