"""What an expression can fail with, at compilation or at evaluation."""


class ExpressionError(Exception):
    """The source is not a valid expression: syntax, unknown names, statically wrong types, limits.

    `message` is the bare text, `position` the zero-based character offset; `str()` has both.
    """

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message, position)
        self.message = message
        self.position = position

    def __str__(self) -> str:
        return f"{self.message} (at character {self.position + 1})"


class EvaluationError(Exception):
    """The expression has no value for this event: wrong operand types, bad text to convert, limits."""


class BudgetExceeded(EvaluationError):
    """The evaluation took too many steps. Unlike other failures it is never merely falsy (`||`, `?:`)."""

    def __init__(self) -> None:
        super().__init__("the expression takes too many evaluation steps")


def no_overload(function: str, *kinds: str) -> EvaluationError:
    """The error for an operator or function applied to runtime types that it does not take."""
    return EvaluationError(f"no such overload: {function}({', '.join(kinds)})")
