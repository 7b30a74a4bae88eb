"""The row of the Kotlin/Java SDK stays open: nothing here runs `com.inngest:inngest` itself."""

import pytest


@pytest.mark.needs_java
@pytest.mark.xfail(
    run=False,
    reason="OPEN ROW: Maven Central has no com.inngest:inngest for this machine (2026-11-25), so no app "
    "can be built with the released SDK; its dialect is tested with a double",
)
def test_an_app_with_the_released_java_sdk() -> None:
    raise AssertionError("No app is built with com.inngest:inngest")
