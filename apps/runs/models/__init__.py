"""History of runs. Rows are written by the history writer only (apps/runs/history)."""

from apps.runs.models.run import Run, RunEvent, RunPayload
from apps.runs.models.step import StepAttempt, StepPayload

__all__ = ["Run", "RunEvent", "RunPayload", "StepAttempt", "StepPayload"]
