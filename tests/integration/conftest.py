from collections.abc import Iterator

import pytest
from django.urls import set_script_prefix

from tests.integration.databases import default_database, postgres_settings, sqlite_settings

__all__ = ["default_database", "postgres_settings", "sqlite_settings"]


@pytest.fixture(autouse=True)
def no_script_prefix() -> Iterator[None]:
    """Servers begin each request without the prefix of a place; the test client leaves the last one's."""
    yield
    set_script_prefix("/")
