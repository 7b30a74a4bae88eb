"""What a script gets of a body (spec 05, 2.5; spec 03, 3.1): JSON as it is, forms as arrays of strings."""

from email.message import Message
from io import BytesIO
from typing import Final, NamedTuple
from urllib.parse import parse_qs

import orjson
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from apps.engine.protocol.raw_json import without_lone_surrogates

MAX_FORM_FIELDS: Final = 1000
_URLENCODED: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"
_EMPTY: Final = "{}"


class BodyInvalid(ValueError):
    """The body is not what its content type says; the message holds nothing of it."""


class Parsed(NamedTuple):
    """`event` is JSON text, `raw` the body as text, with U+FFFD for what is no UTF-8."""

    event: str
    raw: str


def parsed_body(content_type: str, body: bytes) -> Parsed:
    """Raises BodyInvalid. Types that are not known give an empty object, and `raw`."""
    raw = body.decode(errors="replace")
    if not body.strip():
        return Parsed(_EMPTY, raw)
    kind = _media_type(content_type)
    if _is_json(kind):
        return Parsed(_json(body), raw)
    if kind in (_URLENCODED, _MULTIPART, ""):
        return Parsed(_json_or_form(kind, content_type, body), raw)
    return Parsed(_EMPTY, raw)


def _json_or_form(kind: str, content_type: str, body: bytes) -> str:
    """Tools send JSON as a form, or without a type; a form never begins like JSON."""
    if body.lstrip()[:1] in (b"{", b"["):
        try:
            return _json(body)
        except BodyInvalid:
            if kind == "":
                return _EMPTY
    if kind == _MULTIPART:
        return _multipart(content_type, body)
    return _urlencoded(body) if kind == _URLENCODED else _EMPTY


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _is_json(kind: str) -> bool:
    return kind in ("application/json", "text/json") or kind.endswith("+json")


def _json(body: bytes) -> str:
    """The text itself, once it is known to be JSON: numbers keep their digits."""
    try:
        text = body.decode("utf-8-sig")
        orjson.loads(without_lone_surrogates(text.encode()))
    except UnicodeDecodeError:
        raise BodyInvalid("Request body is not valid UTF-8") from None
    except orjson.JSONDecodeError:
        raise BodyInvalid("invalid JSON") from None
    return text


def _urlencoded(body: bytes) -> str:
    try:
        fields = parse_qs(
            body.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS, errors="replace"
        )
    except ValueError:
        raise BodyInvalid(f"The form has more than {MAX_FORM_FIELDS} fields") from None
    return orjson.dumps(fields).decode()


class _Ignored(FileUploadHandler):
    """Files of a form are no fields: they are read past."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None


def _multipart(content_type: str, body: bytes) -> str:
    meta = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body))}
    try:
        parser = MultiPartParser(meta, BytesIO(body), [_Ignored()], _charset(content_type))
        fields, _ = parser.parse()
    except (MultiPartParserError, SuspiciousOperation, RequestDataTooBig, LookupError, ValueError):
        raise BodyInvalid("The form cannot be read") from None
    found = {name: [_text(value) for value in fields.getlist(name)] for name in fields}
    return orjson.dumps({_text(name): values for name, values in found.items()}).decode()


def _charset(content_type: str) -> str:
    message = Message()
    message["content-type"] = content_type
    charset = str(message.get_param("charset", "utf-8"))
    "".encode(charset)
    return charset


def _text(value: object) -> str:
    return str(value).encode(errors="replace").decode()
