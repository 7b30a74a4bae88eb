"""Log lines as JSON objects (spec 03, 9.5): `time`, `level`, `msg`, `caller`, `role`, and ids of the work.

What a library passes beside its message is left out, and what looks like a secret is replaced: a line tells
what happened, never what a user sent. The one line whose purpose is to tell a secret, the token of the first
visit, says so by `extra={"shows_secret": True}`.
"""

import logging
import os
import re
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

from apps.engine import log_context

REDACTED = "[redacted]"
# What a caller may add to a line by `extra=`.
EXTRAS = (
    *("request_id", "account_id", "environment_id", "run_id", "function_id", "event_id"),
    *("method", "route", "status", "duration_ms", "credential"),
)
_SECRETS = re.compile(
    r"(?P<before>signkey-\w+-|sk-inn-\w+-|\bbearer\s+|/e/)(?P<secret>[^\s/@\"'?&,;:)\]}]+)", re.IGNORECASE
)
_PASSWORDS = re.compile(r"(?P<before>://[^\s/:@]*:)(?P<secret>[^\s/@]+)(?=@)")
_NAMED_SECRETS = re.compile(
    r"(?P<before>[\"']?(?:password|secret|token|signing[_-]key|event[_-]key|authorization)[\"']?\s*[=:]\s*[\"']?)"
    r"(?P<secret>[^\s\"'&,;)}]+)",
    re.IGNORECASE,
)

EventDict = MutableMapping[str, Any]

_PLAIN = logging.Formatter()


def redact(text: str) -> str:
    """The text without what looks like a key, a token, or the password of a URL."""
    for pattern in (_SECRETS, _PASSWORDS, _NAMED_SECRETS):
        text = pattern.sub(rf"\g<before>{REDACTED}", text)
    return text


def json_formatter() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        processors=[_line, structlog.processors.JSONRenderer(serializer=_serialise)]
    )


def _line(logger: object, name: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "msg": _message(record, str(event["event"])),
        "caller": record.name,
        "role": os.environ.get("STEPWELL_ROLES", ""),
        **log_context.current(),
    }
    line.update({extra: getattr(record, extra) for extra in EXTRAS if hasattr(record, extra)})
    error = event.get("exc_info")
    if error and error[0] is not None:
        line["error"] = error[0].__name__
        line["traceback"] = redact(_PLAIN.formatException(error))
    return line


def _message(record: logging.LogRecord, text: str) -> str:
    """Django's own lines of a request end with its path, which may hold a key or a one-time token."""
    if hasattr(record, "shows_secret"):
        return text
    return text.partition(": ")[0] if record.name == "django.request" else redact(text)


def _serialise(line: EventDict, **_: object) -> str:
    return orjson.dumps(line, default=str).decode()
