"""The collected errors of one function, and the checks that add to them."""

from apps.engine import expressions
from apps.engine.protocol.durations import DurationError, parse_duration_ms


class Problems:
    """Error texts in the order found; `label` names the function in the answer."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.texts: list[str] = []

    def add(self, text: str) -> None:
        self.texts.append(text)

    def check_expression(self, source: str, prefix: str, *, restricted: bool = False) -> str:
        """The source; what is wrong with it is added after `prefix`. An empty one is no expression."""
        if not source:
            return source
        if error := expressions.validate(source):
            self.add(f"{prefix}: {error}")
        elif restricted and (violation := expressions.validate(source, restricted=True)):
            self.add(f"{prefix}: validation failed: {violation}")
        return source

    def __str__(self) -> str:
        return f"'{self.label}': " + "; ".join(self.texts)


def duration_ms(text: str) -> int | None:
    """Milliseconds, or None when the text is not a duration."""
    try:
        return parse_duration_ms(text)
    except DurationError:
        return None
