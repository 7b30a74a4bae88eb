"""Worker processes are started once for all tests of a module directory: each takes a third of a second."""

from collections.abc import Callable, Iterator

import pytest

from apps.webhooks.runtime.messages import Call, Result
from apps.webhooks.runtime.pool import ScriptPool

Run = Callable[..., Result]


@pytest.fixture(scope="package")
def pool() -> Iterator[ScriptPool]:
    found = ScriptPool(2)
    yield found
    found.close()


@pytest.fixture
def run(pool: ScriptPool) -> Run:
    """Run a script in the lane of one tenant."""

    def run_script(source: str, lane: str = "tenant", **options: object) -> Result:
        return pool.run_sync(lane, Call(source, **options))  # type: ignore[arg-type]

    return run_script
