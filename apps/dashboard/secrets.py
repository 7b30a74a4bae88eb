"""A secret as a page shows it before anybody has asked for it."""

from dataclasses import dataclass

from apps.dashboard.gates import Gate


@dataclass(frozen=True, slots=True)
class Masked:
    """`masked` is its beginning; `url` reveals it, on record, for whom the `gate` lets through."""

    dom_id: str
    masked: str
    url: str
    label: str
    gate: Gate
