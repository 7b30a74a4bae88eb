"""The audit log as a file, line by line, with what is needed to check its chain."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from apps.audit.actors import Actor
from apps.audit.models import AuditEntry
from apps.audit.selectors import AuditFilter, audit_stream
from apps.audit.services import audit_record

_COLUMNS: Final = (
    *("number", "at", "id", "account_id", "environment_id"),
    *("actor_kind", "actor_id", "actor_label", "ip", "user_agent"),
    *("action", "target_type", "target_id", "target_label", "before", "after"),
    *("request_id", "is_success", "previous_hash", "hash"),
)
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def audit_export(
    *, account_id: UUID, format_name: str, actor: Actor, wanted: AuditFilter | None = None
) -> Iterator[str]:
    """The lines of an export, of which the log itself tells. `format_name` is csv or jsonl (KeyError)."""
    write = FORMATS[format_name]
    with transaction.atomic():
        audit_record(
            account_id=account_id,
            actor=actor,
            action="audit.export",
            target_type="audit_log",
            after={"format": format_name},
        )
    return write(audit_stream(account_id, wanted))


def json_lines(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """One JSON object a line, keys as of `_COLUMNS`."""
    for entry in entries:
        yield json.dumps(_fields(entry), ensure_ascii=False, separators=(",", ":")) + "\n"


def csv_lines(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """RFC 4180, with a head. A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    yield _csv_line(_COLUMNS)
    for entry in entries:
        yield _csv_line([_cell(value) for value in _fields(entry).values()])


FORMATS: Final[dict[str, Callable[[Iterable[AuditEntry]], Iterator[str]]]] = {
    "csv": csv_lines,
    "jsonl": json_lines,
}


def _fields(entry: AuditEntry) -> dict[str, Any]:
    values = {name: getattr(entry, name) for name in _COLUMNS}
    values["at"] = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    for name in ("id", "account_id", "environment_id"):
        values[name] = str(values[name]) if values[name] else None
    return values


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA_STARTS) else text


def _csv_line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
