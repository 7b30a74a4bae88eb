"""Options of `manage.py start` (spec 03 9.3), and what it refuses (2.6)."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.devserver.health import ROLES
from apps.devserver.sources import Reading, mask
from apps.server.start_options import StartOptions, read_start_options, readings_of

KEYS: dict[str, object] = {"signing-key": "signkey-prod-deadbeef", "event-key": ["one"]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration file at work or at home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def read(flags: dict[str, object] | None = None, environment: dict[str, str] | None = None) -> StartOptions:
    return read_start_options({**KEYS, **(flags or {})}, environment or {}, Path("/data"))


def test_all_roles_by_default_and_apps_are_neither_looked_for_nor_watched() -> None:
    options = read()
    assert (options.roles, options.has_ui, options.may_set_up) == (ROLES, True, False)
    assert (options.common.discovery, options.common.poll) == (False, False)
    assert options.is_whole
    assert options.has_keys


def test_names_of_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    options = read_start_options(
        {},
        {
            "INNGEST_SIGNING_KEY": "deadbeef",
            "INNGEST_EVENT_KEY": "one,two",
            "INNGEST_POSTGRES_URI": "postgres://h/d",
            "INNGEST_REDIS_URI": "redis://h",
            "INNGEST_SDK_URL": "http://app",
            "INNGEST_PORT": "9000",
            "INNGEST_NO_UI": "true",
            "INNGEST_POLL_INTERVAL": "60",
            "INNGEST_QUEUE_WORKERS": "10",
            "INNGEST_POSTGRES_MAX_OPEN_CONNS": "50",
            "INNGEST_TICK": "150",
        },
        Path("/data"),
    )
    common = options.common
    assert (common.signing_key, common.event_keys) == ("deadbeef", ("one", "two"))
    assert (common.database_url, common.redis_url) == ("postgres://h/d", "redis://h")
    assert (common.sdk_urls, common.port, common.poll_interval) == (("http://app",), 9000, 60)
    assert (common.queue_workers, common.pool) == (10, (("postgres-max-open-conns", 50),))
    assert options.has_ui is False
    assert common.notes == ("--tick has no effect: work is pushed to executors, nothing is polled",)


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        ({"signing-key": None}, "signing-key is required"),
        ({"event-key": None}, "at least one event-key is required"),
        ({"signing-key": "abc"}, "signing-key must be hex string with even number of chars"),
        ({"roles": ["web,wroker"]}, "--roles must be of web, worker, scheduler, not wroker"),
        (
            {"roles": ["web"]},
            "--roles needs redis-uri and postgres-uri, which the roles share; without them all run together",
        ),
    ],
)
def test_what_cannot_start(flags: dict[str, object], problem: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        read(flags)
    assert str(caught.value) == problem


def test_a_key_that_is_no_hex() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^signing-key must be valid hex string: "):
        read({"signing-key": "signkey-prod-zz"})


def test_without_keys_the_database_is_asked_later() -> None:
    assert read({"signing-key": None, "event-key": None}).has_keys is False


def test_roles_keep_their_order() -> None:
    services: dict[str, object] = {"redis-uri": "redis://h", "postgres-uri": "postgres://h/d"}
    options = read({**services, "roles": ["scheduler", "web"]})
    assert (options.roles, options.is_whole) == (("web", "scheduler"), False)


def test_where_values_come_from() -> None:
    found = {reading.name: reading for reading in readings_of(KEYS, {"INNGEST_PORT": "9000"})}
    assert found["--port"] == Reading("--port", "9000", "INNGEST_PORT")
    assert found["--host"] == Reading("--host", "every interface", "default")
    assert found["--signing-key"] == Reading("--signing-key", "signkey-prod-deadbeef", "flag", is_secret=True)
    assert found["--signing-key"].shown == "signkey-prod-…"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("--event-key", "abcdefghijklmnop", "abcdefg…"),
        ("--event-key", "short,abcdefghijklmnop", "…,abcdefg…"),
        ("STEPWELL_SECRET_KEY", "abcdefghijklmnopqrstuvwxyz", "…"),
        ("STEPWELL_SECRET_KEY", "", ""),
        ("DATABASE_URL", "postgres://me:pa,ss@h:5432/d?x=1", "postgres://me:…@h:5432/d?x=1"),
        ("REDIS_URL", "redis://h:6379/0", "redis://h:6379/0"),
    ],
)
def test_secrets_are_masked(name: str, value: str, shown: str) -> None:
    assert Reading(name, value, "default", is_secret=True).shown == shown
    assert value == "" or shown == value or mask(value) != value
