"""What operations refuse; the text of each is what users read (spec 02, 7.9; spec 03, 4.7)."""


class OperationError(Exception):
    """The request cannot be carried out."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


class CancellationInvalid(OperationError):
    """Invalid cancellation request"""


class CancellationNotFound(OperationError):
    """Cancellation not found"""


class TooManyRuns(OperationError):
    """at most 1000 runs can be cancelled at once"""
