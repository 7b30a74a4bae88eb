"""History of events (spec 02, 1.1; spec 03, 3.2). Rows are written by the history writer only.

Times are milliseconds since the epoch. There are no foreign keys: rows arrive in any order.
"""

import json

from django.db import models


class Event(models.Model):
    """One accepted entry of an event stream.

    `key` is "<shard>:<stream id>": it makes the writer idempotent, and its payload and outcome carry
    the same key. `internal_id` is not unique: an event that was sent again under the same seed has
    the same one.
    """

    key = models.CharField(primary_key=True, max_length=80)
    environment_id = models.UUIDField()
    account_id = models.UUIDField()
    internal_id = models.CharField(max_length=26)
    external_id = models.TextField()  # the producer's id, or the internal id
    name = models.TextField()
    ts = models.BigIntegerField()  # when it occurred, as the producer says
    received_at = models.BigIntegerField()
    is_internal = models.BooleanField()  # an `inngest/` name: made by the engine
    source = models.CharField(max_length=32)  # api, invoke, cron, engine, rerun
    # Who sent it (apps/engine/event_stream.py, `Sender`), and the id of that key or webhook; empty for the
    # server's own events and where that is not known.
    origin = models.CharField(max_length=12, default="", db_default="")
    origin_id = models.UUIDField(null=True)
    context = models.TextField(default="")  # JSON of `EventContext`: how it is handled; empty for the default

    class Meta:
        indexes = [
            models.Index(fields=["environment_id", "internal_id"], name="event_env_internal"),
            models.Index(fields=["environment_id", "name", "internal_id"], name="event_env_name_internal"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.internal_id}"


class EventPayload(models.Model):
    """The event as functions see it: raw JSON text of {data, id, name, ts, user?, v?, meta?}."""

    key = models.CharField(primary_key=True, max_length=80)
    body = models.TextField()

    def __str__(self) -> str:
        return self.key


class EventOutcome(models.Model):
    """What the runner decided about one event; the lists are raw JSON text.

    `run_ids`, `resumed`, `cancelled`: lists of run ids. `skipped`: list of [function id, reason,
    detail]. `failed`: list of [function id, text]. All empty: the event matched nothing.
    """

    key = models.CharField(primary_key=True, max_length=80)
    environment_id = models.UUIDField()
    internal_id = models.CharField(max_length=26)
    handled_at = models.BigIntegerField()
    run_ids = models.TextField(default="[]")
    resumed = models.TextField(default="[]")
    cancelled = models.TextField(default="[]")
    skipped = models.TextField(default="[]")
    failed = models.TextField(default="[]")

    class Meta:
        indexes = [models.Index(fields=["environment_id", "internal_id"], name="outcome_env_internal")]

    def __str__(self) -> str:
        return self.key

    def skipped_list(self) -> list[tuple[str, str, str]]:
        """(function id, reason, detail)"""
        return [(function_id, reason, detail) for function_id, reason, detail in json.loads(self.skipped)]

    def run_id_list(self) -> list[str]:
        ids: list[str] = json.loads(self.run_ids)
        return ids
