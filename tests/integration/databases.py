"""Tests of services on both databases, each in the place of the default one, with real commits and threads.

The fixtures are made known by tests/integration/conftest.py.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from django.core.management import call_command
from django.db import connection, connections
from pytest_django.plugin import DjangoDbBlocker

from tests.integration.history import postgres

Result = TypeVar("Result")

on_postgres = pytest.mark.parametrize("default_database", ["postgres"], indirect=True)


@pytest.fixture(scope="session")
def sqlite_settings(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("database") / "stepwell.sqlite3"
    options = {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL;"}
    return _migrated(
        {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": options}, django_db_blocker
    )


@pytest.fixture(scope="session")
def postgres_settings(django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, Any]]:
    bin_dir = postgres.binaries()
    if bin_dir is None:
        pytest.skip("needs the PostgreSQL binaries (Debian package postgresql)")
    with postgres.running_server(bin_dir) as port:
        where = {"HOST": "127.0.0.1", "PORT": port, "USER": "postgres", "NAME": "postgres"}
        options = {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {}, **where}
        yield _migrated(options, django_db_blocker)


@pytest.fixture(params=["sqlite", "postgres"])
def default_database(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The name of an empty database, which all code takes for the default one."""
    settings: dict[str, Any] = request.getfixturevalue(f"{request.param}_settings")
    with _as_default(settings, django_db_blocker):
        call_command("flush", interactive=False, inhibit_post_migrate=True, verbosity=0)
        yield request.param


def in_threads(acts: Sequence[Callable[[], Result]]) -> list[Result | Exception]:
    """Run all at once, each on a connection of its own; what each returned or raised."""
    results: list[Result | Exception | None] = [None] * len(acts)
    barrier = threading.Barrier(len(acts))

    def run(index: int) -> None:
        connection.ensure_connection()
        barrier.wait(timeout=20)
        try:
            results[index] = acts[index]()
        except Exception as problem:
            results[index] = problem
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return [result for result in results if result is not None]


def _migrated(options: dict[str, Any], blocker: DjangoDbBlocker) -> dict[str, Any]:
    settings = {**connections.settings["default"], **options}
    with _as_default(settings, blocker):
        call_command("migrate", verbosity=0)
    return settings


@contextmanager
def _as_default(settings: dict[str, Any], blocker: DjangoDbBlocker) -> Iterator[None]:
    with blocker.unblock():
        own_settings, own_connection = connections.settings["default"], connections["default"]
        connections.settings["default"] = settings
        del connections["default"]
        try:
            yield
        finally:
            connections["default"].close()
            connections.settings["default"] = own_settings
            connections["default"] = own_connection
