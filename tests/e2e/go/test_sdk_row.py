"""The row of the Go SDK stays open: nothing here runs `inngestgo` itself."""

import pytest


@pytest.mark.needs_go
@pytest.mark.xfail(
    run=False,
    reason="OPEN ROW: the Go module proxy answers 403 for github.com/inngest/inngestgo (2026-11-25), "
    "so no app can be built with the released Go SDK; its dialect is tested with a double",
)
def test_an_app_with_the_released_go_sdk() -> None:
    raise AssertionError("No app is built with github.com/inngest/inngestgo")
