"""What the services of runs refuse; the text of each is what users read (spec 02, 12)."""


class RunError(Exception):
    """The request cannot be carried out."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


class RunNotFound(RunError):
    """run not found"""


class FunctionGone(RunError):
    """function not found"""


class EventsGone(RunError):
    """original run events not found"""


class InputInvalid(RunError):
    """input is not a valid JSON array"""


class StepNotFound(RunError):
    """error reconstructing input state: rerun step not found"""


class StepAmbiguous(RunError):
    """error reconstructing input state: rerun step name is ambiguous"""


class TraceGone(RunError):
    """original run trace not found"""


class StepOutputGone(RunError):
    """step output not found in original run"""
