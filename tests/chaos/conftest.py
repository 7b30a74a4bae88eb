"""Worlds for scenarios, and a line of figures for each at the end of the session."""

import logging
import os
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.chaos.world import World

WorldMaker = Callable[..., AbstractContextManager[World]]

# Long enough for the stalls of a busy machine, short enough to see many leases end.
LEASE_SECONDS = 5

_FIGURES = "chaos"


def pytest_configure(config: pytest.Config) -> None:
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of each request


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == _FIGURES and report.when == "call":
                    terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")


@pytest.fixture(scope="session")
def seed() -> int:
    """Set CHAOS_SEED to the one that a report names to get the same events and moments again."""
    return int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(1_000_000))


@pytest.fixture(scope="session")
def make_world(tmp_path_factory: pytest.TempPathFactory, seed: int) -> WorldMaker:
    """`with make_world(**environment) as world`: a world of its own."""

    @contextmanager
    def make(**environment: str) -> Iterator[World]:
        settings = {"STEPWELL_LEASE_SECONDS": str(LEASE_SECONDS), **environment}
        world = World(tmp_path_factory.mktemp("world"), seed, settings)
        try:
            yield world
        finally:
            world.close()

    return make


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Show a line of figures at the end of the session."""
    return lambda line: record_property(_FIGURES, line)
