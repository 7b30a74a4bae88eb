from collections.abc import AsyncIterator

import pytest

from tests.integration.history.conftest import _sqlite_alias, sqlite_database  # noqa: F401 fixtures of this folder
from tests.integration.recovery.recovery_world import RecoveryWorld, open_recovery_world


@pytest.fixture
async def recovery(redis_url: str, sqlite_database: str) -> AsyncIterator[RecoveryWorld]:  # noqa: F811
    """An app, the engine and a history writer, without services yet."""
    async with open_recovery_world(redis_url, sqlite_database) as world:
        yield world
