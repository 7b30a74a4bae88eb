"""Durations in the long form of throttle periods (spec 03, 6.10)."""

import pytest

from apps.api.graphql.configuration import long_form


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0s"),
        (500, "0.5s"),
        (30_000, "30s"),
        (60_000, "1m0s"),
        (90_500, "1m30.5s"),
        (3_600_000, "1h0m0s"),
        (86_400_000, "24h0m0s"),
        (604_800_000, "168h0m0s"),
    ],
)
def test_long_form(milliseconds: int, text: str) -> None:
    assert long_form(milliseconds) == text
