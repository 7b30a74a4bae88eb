"""Server mode with the cast of the isolation tests."""

from tests.isolation.conftest import queue, scripts, server, stage

__all__ = ["queue", "scripts", "server", "stage"]
