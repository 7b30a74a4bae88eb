"""What a bulk cancellation must say (spec 02, 7.9; spec 03, 4.7). Pure: no Django."""

from apps.engine import expressions
from apps.engine.expressions import ExpressionError

# Clocks of clients differ from ours.
CLOCK_TOLERANCE_MS = 5_000


def problems(
    app_id: str, function_id: str, started_after: int | None, started_before: int | None, now: int
) -> list[str]:
    """What is wrong, one message each; empty when nothing is. Times in ms."""
    found = [f"{name} is required" for name, value in (("app_id", app_id), ("function_id", function_id))
             if not value]  # fmt: skip
    if started_before is None:
        return [*found, "started_before is required"]
    if started_before > now + CLOCK_TOLERANCE_MS:
        found.append("started_before must be in the past")
    if started_after is not None and started_after >= started_before:
        found.append("started_after must be before started_before")
    return found


def expression_problem(source: str) -> str | None:
    """What is wrong with an expression over `event`."""
    try:
        program = expressions.compile_expression(source)
    except ExpressionError as error:
        return f"invalid expression: {error}"
    return "invalid expression: undeclared reference to 'async'" if program.uses_async else None
