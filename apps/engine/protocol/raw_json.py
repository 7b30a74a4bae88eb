"""Raw JSON bytes: checked, quoted and unquoted without building Python objects."""

import re

import msgspec

_raw = msgspec.json.Decoder(msgspec.Raw)
_text = msgspec.json.Decoder(str)
_member_map = msgspec.json.Decoder(dict[str, msgspec.Raw])

quote = msgspec.json.encode

# What msgspec raises for bytes that are not JSON; RecursionError is its answer to deep nesting.
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)"
)


def checked(text: bytes) -> bytes | None:
    """The JSON value of `text` without surrounding white space, or None when it is not JSON in UTF-8.

    Escapes of lone surrogates, which JavaScript writes, become U+FFFD: no UTF-8 text can hold them.
    """
    try:
        value = bytes(_raw.decode(text))
        value.decode()
    except NOT_JSON:
        return _checked_without_lone_surrogates(text)
    return value


def _checked_without_lone_surrogates(text: bytes) -> bytes | None:
    repaired = without_lone_surrogates(text)
    return None if repaired == text else checked(repaired)


def without_lone_surrogates(text: bytes) -> bytes:
    """`text` with each `\\ud8xx` escape that is not half of a pair replaced by `\\ufffd`."""
    return _ESCAPE.sub(_keep_or_replace, text)


def _keep_or_replace(match: "re.Match[bytes]") -> bytes:
    escape = match.group()
    return b"\\ufffd" if len(escape) == 6 and escape[1:2] == b"u" else escape


def string(value: bytes | msgspec.Raw) -> str | None:
    """The text of a JSON string, or None when `value` is anything else."""
    try:
        return _text.decode(value)
    except NOT_JSON:
        return None


def members(value: bytes | msgspec.Raw) -> dict[str, msgspec.Raw] | None:
    """The raw members of a JSON object, or None when `value` is anything else."""
    try:
        return _member_map.decode(value)
    except NOT_JSON:
        return None


def undo_double_encoding(value: bytes) -> bytes:
    """The inner value when `value` is a JSON string whose text is itself JSON (spec 01, 7.2)."""
    if not value.startswith(b'"'):
        return value
    text = string(value)
    inner = checked(text.encode()) if text else None
    return value if inner is None else inner


def as_json(body: bytes) -> bytes:
    """`body` itself when it is JSON, else its text as a JSON string."""
    value = checked(body)
    return quote(body.decode(errors="replace")) if value is None else value
