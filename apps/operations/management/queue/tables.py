"""Plain text for a terminal: facts, tables, lengths of time."""

from collections.abc import Mapping, Sequence


def facts(entries: Mapping[str, object]) -> str:
    width = max(map(len, entries))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in entries.items())


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as their longest cell; the last one ends where it ends."""
    lines = [head, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def seconds(ms: int) -> str:
    return f"{ms / 1000:,.1f} s"
