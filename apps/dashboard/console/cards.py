"""What the console's overview shows: cards of a title, a state, and a few facts."""

from dataclasses import dataclass, field
from typing import Final

from apps.dashboard.presenters.statuses import Badge

OK: Final = Badge("Well", "ok", "circle-check")
AWAY: Final = Badge("Does not answer", "bad", "circle-x")


@dataclass(frozen=True, slots=True)
class Fact:
    """`since_ms`: a time, which the page shows as its distance from now."""

    label: str
    value: str = ""
    since_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    title: str
    state: Badge
    facts: list[Fact] = field(default_factory=list)
    note: str = ""
    is_wide: bool = False


def size_text(size: int) -> str:
    """`512 B`, `3.4 MB`"""
    amount, units = float(size), ["B", "kB", "MB", "GB"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    return f"{amount:.0f} B" if units[0] == "B" else f"{amount:,.1f} {units[0]}"
