"""The options of the ops whose HTTP request the server makes itself: Gateway and AIGateway
(spec 01, 11.5 and 11.6; spec 04, 6.2 and 6.3).
"""

import msgspec
from yarl import URL

from apps.engine.protocol import raw_json
from apps.engine.protocol.op_options import invalid_options
from apps.engine.protocol.opcodes import Op

_SECRET_PARTS = ("auth", "key", "token", "cookie", "secret", "password", "signature")
REDACTED = "redacted"


class GatewayOptions(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """`method` is empty when the SDK sent none; `body` is None when it sent none."""

    url: str
    method: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: str | None = None

    def public_view(self) -> bytes:
        """The options as JSON for display, without secrets."""
        view = {
            "body": self.body,
            "headers": _public_headers(self.headers),
            "method": self.method,
            "url": public_url(self.url),
        }
        return msgspec.json.encode(view)

    def __repr__(self) -> str:
        return f"GatewayOptions({self.method} {public_url(self.url)})"


class AIOptions(msgspec.Struct, frozen=True):
    """`body` is raw JSON; `auth_key` is a secret that is never logged, stored or shown."""

    url: str
    format: str = "openai-chat"
    auth_key: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b"null"

    def public_view(self) -> bytes:
        """The options as JSON for display, without secrets."""
        view = {
            "body": msgspec.Raw(self.body),
            "format": self.format,
            "headers": _public_headers(self.headers),
            "url": public_url(self.url),
        }
        return msgspec.json.encode(view)

    def __repr__(self) -> str:
        return f"AIOptions({self.format} {public_url(self.url)})"


def gateway_options(op: Op) -> GatewayOptions:
    """Raises InvalidOptions."""
    body = op.raw_option("body")
    text = raw_json.string(body) if body else None
    # A body that is not a string is sent as the JSON that it is.
    return GatewayOptions(
        url=_url(op),
        method=op.text_option("method").upper(),
        headers=_headers(op),
        body=body.decode() if body and text is None else text,
    )


def ai_options(op: Op) -> AIOptions:
    """Raises InvalidOptions."""
    return AIOptions(
        url=_url(op),
        format=op.text_option("format") or "openai-chat",
        auth_key=op.text_option("auth_key"),
        headers=_headers(op),
        body=op.raw_option("body") or b"null",
    )


def public_url(url: str) -> str:
    """`url` without credentials and query values; empty when it cannot be read."""
    try:
        parsed = URL(url)
        bare = parsed.with_user(None) if parsed.raw_user or parsed.raw_password else parsed
    except ValueError:
        return ""
    return str(bare.with_query([(name, REDACTED) for name in bare.query]))


def _public_headers(headers: dict[str, str]) -> dict[str, str]:
    return {
        name: REDACTED if any(part in name.lower() for part in _SECRET_PARTS) else value
        for name, value in headers.items()
    }


def _url(op: Op) -> str:
    url = op.text_option("url")
    if not url:
        raise invalid_options(op, "url is missing")
    return url


def _headers(op: Op) -> dict[str, str]:
    raw = op.raw_option("headers")
    members = raw_json.members(raw) if raw else {}
    if members is None:
        raise invalid_options(op, "headers is not an object")
    return {name: _header_text(value) for name, value in members.items() if bytes(value) != b"null"}


def _header_text(value: msgspec.Raw) -> str:
    text = raw_json.string(value)
    return bytes(value).decode() if text is None else text
