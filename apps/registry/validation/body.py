"""Decoding of a register body, or of the body of an in-band sync, up to its functions."""

import hashlib
from typing import Final

import msgspec
import orjson

from apps.registry.validation.fields import Fields, InvalidRequestError
from apps.registry.validation.limits import DEFAULT_LIMITS, MAX_NAME_BYTES, MAX_URL_BYTES, Limits
from apps.registry.validation.results import RegistrationError, RegistrationHead, invalid_request

# Raise it whenever the same configuration normalises differently, so that the next sync is stored.
_NORMALISATION: Final = "1"
_DISPLAY_CHARACTERS: Final = 100


class DecodedBody(msgspec.Struct, frozen=True):
    head: RegistrationHead
    functions: list[object]


def decode_body(body: bytes, limits: Limits = DEFAULT_LIMITS) -> DecodedBody | RegistrationError:
    """The head and the still unchecked functions, or the error to answer."""
    try:
        fields = Fields(_parse(body, limits), "")
        functions = _functions(fields, limits)
        app_name = fields.text("appName") or fields.text("app_id")
        if not app_name.strip():
            return RegistrationError("App ID required", "app_id_required")
        return DecodedBody(_head(fields, app_name, functions), functions)
    except InvalidRequestError as error:
        return invalid_request(str(error))


def _parse(body: bytes, limits: Limits) -> object:
    if len(body) > limits.body_bytes:
        raise InvalidRequestError(f"body is larger than {limits.body_bytes} bytes")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(f"body is not JSON: {error}") from None


def _functions(fields: Fields, limits: Limits) -> list[object]:
    functions = fields.array("functions")
    if len(functions) > limits.functions:
        raise InvalidRequestError(f"more than {limits.functions} functions")
    return functions


def _head(fields: Fields, app_name: str, functions: list[object]) -> RegistrationHead:
    language, version = _sdk(fields)
    head = RegistrationHead(
        app_name=_at_most(app_name, MAX_NAME_BYTES, "appName"),
        url=_at_most(fields.text("url"), MAX_URL_BYTES, "url"),
        sdk_language=language[:_DISPLAY_CHARACTERS],
        sdk_version=version[:_DISPLAY_CHARACTERS],
        framework=fields.text("framework")[:_DISPLAY_CHARACTERS],
        platform=_platform(fields)[:_DISPLAY_CHARACTERS],
        app_version=fields.text("appVersion")[:_DISPLAY_CHARACTERS],
    )
    return msgspec.structs.replace(head, checksum=_checksum(head, functions))


def _at_most(text: str, size: int, name: str) -> str:
    if len(text.encode()) > size:
        raise InvalidRequestError(f"{name} is longer than {size} bytes")
    return text


def _sdk(fields: Fields) -> tuple[str, str]:
    """Language and version: `js:v4.24.0`, or the separate fields of an in-band answer (no `v`)."""
    if "sdk" in fields:
        language, _, version = fields.text("sdk").partition(":")
        return language, version
    version = fields.text("sdk_version")
    return fields.text("sdk_language"), f"v{version}" if version[:1].isdigit() else version


def _platform(fields: Fields) -> str:
    headers = fields.child("headers")
    return fields.text("platform") or (headers.text("platform") if headers else "")


def _checksum(head: RegistrationHead, functions: list[object]) -> str:
    try:
        content = orjson.dumps([_NORMALISATION, msgspec.structs.astuple(head), functions])
    except orjson.JSONEncodeError:
        raise InvalidRequestError("functions are nested too deeply") from None
    return hashlib.sha256(content).hexdigest()
