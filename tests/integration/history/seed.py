"""Puts history into the default database, the way the writer does."""

import uuid

from apps.engine.event_stream import EventEntry
from apps.engine.records import AnyRecord
from apps.runs.history.batch import Batch
from apps.runs.history.store import HistoryStore
from apps.tenancy.models import DEV_ENVIRONMENT_ID

ENVIRONMENT = DEV_ENVIRONMENT_ID
STRANGER = uuid.UUID("00000000-0000-4000-b000-00000000ffff")


def write(*records: AnyRecord) -> None:
    batch = Batch("0")
    batch.add_records(records)
    HistoryStore().write(batch)


def write_event(stream_id: str, entry: EventEntry) -> None:
    batch = Batch("0")
    batch.add_event(stream_id, entry)
    HistoryStore().write(batch)
