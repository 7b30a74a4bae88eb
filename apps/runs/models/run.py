"""Runs. Times are milliseconds since the epoch, None where unknown. No foreign keys: rows arrive
in any order, and ids of apps and functions outlive what they name."""

from django.db import models

from apps.runs.choices import FIRST_TERMINAL_RUN_STATUS, RunStatus


class Run(models.Model):
    """One run of one function (spec 02, 10.1).

    `version` rises whenever a record of the run is stored (it is the time of writing in
    microseconds); pages compare it. A run whose `environment_id` is the nil UUID is incomplete: its
    first record has not been stored yet. `flow` tells people of the run's keys and priority
    (`apps.engine.records.RunScheduled.flow`); lists do not load it.
    """

    run_id = models.CharField(primary_key=True, max_length=26)
    account_id = models.UUIDField()
    environment_id = models.UUIDField()
    app_id = models.UUIDField()
    function_id = models.UUIDField()
    function_version = models.IntegerField()
    status = models.SmallIntegerField(choices=RunStatus.choices)
    queued_at = models.BigIntegerField()
    scheduled_at = models.BigIntegerField(null=True)  # due time of the first request
    started_at = models.BigIntegerField(null=True)
    ended_at = models.BigIntegerField(null=True)
    schedule_type = models.CharField(max_length=16)  # Event, Cron, Debounce, Batch, Invoke, Rerun, Replay
    event_name = models.TextField()
    cron = models.TextField()
    original_run_id = models.CharField(max_length=26)
    skip_reason = models.TextField()
    skip_existing_run_id = models.CharField(max_length=26)
    flow = models.TextField(default="", db_default="")
    cancel_reason = models.TextField()
    has_output = models.BooleanField()
    version = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["environment_id", "queued_at", "run_id"], name="run_env_queued"),
            models.Index(fields=["environment_id", "started_at", "run_id"], name="run_env_started"),
            models.Index(fields=["environment_id", "ended_at", "run_id"], name="run_env_ended"),
            models.Index(fields=["environment_id", "status", "queued_at", "run_id"], name="run_env_status"),
            models.Index(fields=["environment_id", "app_id", "queued_at", "run_id"], name="run_env_app"),
            models.Index(
                fields=["environment_id", "function_id", "queued_at", "run_id"], name="run_env_function"
            ),
        ]

    def __str__(self) -> str:
        return self.run_id

    @property
    def has_ended(self) -> bool:
        return self.status >= FIRST_TERMINAL_RUN_STATUS or self.status == RunStatus.OVERFLOWED


class RunEvent(models.Model):
    """The events that a run was started with, in order; `event_id` is an event's internal id."""

    pk = models.CompositePrimaryKey("run_id", "position")
    run_id = models.CharField(max_length=26)
    position = models.IntegerField()
    event_id = models.CharField(max_length=26)

    class Meta:
        indexes = [models.Index(fields=["event_id", "run_id"], name="run_event_event")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.position}"


class RunPayload(models.Model):
    """A run's result as raw JSON text; of a failed run the error object."""

    run_id = models.CharField(primary_key=True, max_length=26)
    output = models.TextField()

    def __str__(self) -> str:
        return self.run_id
