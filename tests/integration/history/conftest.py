"""The writer's tests run on both databases: each gets an alias of its own, emptied for each test."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from apps.events.models import Event, EventOutcome, EventPayload
from apps.runs.models import Run, RunEvent, RunPayload, StepAttempt, StepPayload
from tests.integration.history import postgres

_numbers = itertools.count(1)
MODELS = (Event, EventPayload, EventOutcome, Run, RunEvent, RunPayload, StepAttempt, StepPayload)


@pytest.fixture(scope="session")
def _sqlite_alias(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    path = tmp_path_factory.mktemp("history") / "history.sqlite3"
    yield from _migrated("history_sqlite", _sqlite(path), django_db_blocker)


@pytest.fixture(scope="session")
def _postgres_alias(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    bin_dir = postgres.binaries()
    if bin_dir is None:
        pytest.skip("needs the PostgreSQL binaries (Debian package postgresql)")
    with postgres.running_server(bin_dir) as port:
        yield from _migrated("history_postgres", _postgres(port), django_db_blocker)


@pytest.fixture
def sqlite_database(_sqlite_alias: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with django_db_blocker.unblock():
        empty(_sqlite_alias)
        yield _sqlite_alias


@pytest.fixture
def postgres_database(_postgres_alias: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with django_db_blocker.unblock():
        empty(_postgres_alias)
        yield _postgres_alias


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """The alias of an empty history database."""
    alias: str = request.getfixturevalue(f"{request.param}_database")
    return alias


def empty(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        for model in MODELS:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")


def _migrated(name: str, options: dict[str, Any], blocker: DjangoDbBlocker) -> Iterator[str]:
    """Each folder that imports the fixtures makes them once more, so each time under an alias of its own."""
    alias = f"{name}_{next(_numbers)}"
    connections.settings[alias] = {**connections.settings["default"], **options}
    with blocker.unblock():
        call_command("migrate", "runs", database=alias, verbosity=0)
        call_command("migrate", "events", database=alias, verbosity=0)
    yield alias
    with blocker.unblock():
        connections[alias].close()
    del connections[alias]
    del connections.settings[alias]


def _sqlite(path: Path) -> dict[str, Any]:
    settings = {"timeout": 0.2, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL;"}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": settings}


def _postgres(port: int) -> dict[str, Any]:
    where = {"HOST": "127.0.0.1", "PORT": port, "USER": "postgres", "NAME": "postgres"}
    return {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {}, **where}
