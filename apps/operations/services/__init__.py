"""What may be done to functions and to many runs at once. Each service takes its tenant first."""

from apps.operations.services.cancellations import cancellation_create, cancellation_delete
from apps.operations.services.pausing import function_pause
from apps.operations.services.runs import runs_cancel
from apps.registry.services.switches import function_drain, function_resume, function_undrain

__all__ = [
    "cancellation_create",
    "cancellation_delete",
    "function_drain",
    "function_pause",
    "function_resume",
    "function_undrain",
    "runs_cancel",
]
