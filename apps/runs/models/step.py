"""Attempts of steps. Times are milliseconds since the epoch, None where unknown."""

import json

from django.db import models

from apps.runs.choices import StepStatus


class StepAttempt(models.Model):
    """One attempt of one step (spec 02, 10.2); an empty `step_id` is the function's own code.

    `op` and the keys of `info` (raw JSON text, empty when there is none) are those of
    `apps.engine.records.StepRecorded`.
    """

    pk = models.CompositePrimaryKey("run_id", "step_id", "attempt")
    run_id = models.CharField(max_length=26)
    step_id = models.TextField()
    attempt = models.IntegerField()
    op = models.CharField(max_length=24)
    status = models.SmallIntegerField(choices=StepStatus.choices)
    name = models.TextField()
    queued_at = models.BigIntegerField(null=True)
    started_at = models.BigIntegerField(null=True)
    ended_at = models.BigIntegerField(null=True)
    max_attempts = models.IntegerField(null=True)
    info = models.TextField()

    def __str__(self) -> str:
        return f"{self.run_id} {self.step_id} {self.attempt}"

    @property
    def has_ended(self) -> bool:
        return self.status >= StepStatus.CANCELLED

    def info_fields(self) -> dict[str, object]:
        fields: dict[str, object] = json.loads(self.info) if self.info else {}
        return fields


class StepPayload(models.Model):
    """Output, error and input of an attempt: raw JSON text, None where there is none."""

    pk = models.CompositePrimaryKey("run_id", "step_id", "attempt")
    run_id = models.CharField(max_length=26)
    step_id = models.TextField()
    attempt = models.IntegerField()
    output = models.TextField(null=True)  # noqa: DJ001 - NULL keeps "none" apart from any JSON text
    error = models.TextField(null=True)  # noqa: DJ001
    input = models.TextField(null=True)  # noqa: DJ001

    def __str__(self) -> str:
        return f"{self.run_id} {self.step_id} {self.attempt}"
