"""What may be done to runs. Each service is tenant-checked by its first argument."""

from apps.runs.services.cancel import CancelResult, run_cancel
from apps.runs.services.rerun import run_rerun

__all__ = ["CancelResult", "run_cancel", "run_rerun"]
