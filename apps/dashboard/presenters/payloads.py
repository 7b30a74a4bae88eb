"""Payloads as code blocks, and error objects as something a person can read."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

import msgspec
from django.utils.safestring import SafeString, mark_safe

from apps.dashboard.presenters.json_text import json_html, json_plain
from apps.engine.protocol.raw_json import NOT_JSON

MAX_COLOURED_CHARACTERS: Final = 64 * 1024
MAX_SHOWN_CHARACTERS: Final = 1024 * 1024
_MAX_CAUSES: Final = 5


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """`digest` tells live updates that nothing has changed; `html` is empty when it is too large to show."""

    dom_id: str
    label: str
    html: SafeString
    digest: str
    size: int
    download_url: str = ""

    @property
    def is_too_large(self) -> bool:
        return self.size > MAX_SHOWN_CHARACTERS

    @property
    def size_text(self) -> str:
        return f"{self.size / 1024 / 1024:.1f} MiB"


def code_block(dom_id: str, label: str, raw: str, download_url: str = "") -> CodeBlock:
    """`raw` is JSON text; text that is not JSON is shown as it is."""
    return CodeBlock(
        dom_id=dom_id,
        label=label,
        html=mark_safe(_markup(raw)),  # noqa: S308 - _markup escapes every character of the payload
        digest=hashlib.sha1(raw.encode(), usedforsecurity=False).hexdigest(),
        size=len(raw),
        download_url=download_url,
    )


def _markup(raw: str) -> str:
    if len(raw) > MAX_SHOWN_CHARACTERS:
        return ""
    if not _is_json(raw):
        return escape(raw)
    return json_html(raw) if len(raw) <= MAX_COLOURED_CHARACTERS else escape(json_plain(raw))


def _is_json(raw: str) -> bool:
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
    except NOT_JSON:
        return False
    return True


@dataclass(frozen=True, slots=True)
class ErrorView:
    name: str
    message: str
    stack: str
    dom_id: str
    cause: "ErrorView | None" = None


def error_view(raw: str, dom_id: str) -> ErrorView | None:
    """Of an error object `{name, message, stack, cause}`, in which each member may be missing or odd."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return ErrorView("Error", raw, "", dom_id) if raw else None
    return _error_of(value, dom_id, depth=0)


def _error_of(value: object, dom_id: str, depth: int) -> ErrorView | None:
    if isinstance(value, str):
        return ErrorView("Error", value, "", dom_id)
    if not isinstance(value, Mapping) or depth >= _MAX_CAUSES:
        return None
    stack = _text(value.get("stack"))
    message = _text(value.get("message"))
    return ErrorView(
        name=_text(value.get("name")) or "Error",
        message=message or ("" if stack else json.dumps(value)),
        stack=stack,
        dom_id=dom_id,
        cause=_error_of(value.get("cause"), f"{dom_id}-cause", depth + 1),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
