"""What each process of the platform is started with."""

import sys
from pathlib import Path

import pytest

from apps.devserver import roles
from apps.devserver.options import DevOptions, read_options

ROOT = Path("/repo")


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DevOptions:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    flags = {"signing-key": "deadbeef", "sdk-url": ["http://a", "http://b"], "no-poll": True}
    return read_options(flags, {}, Path("/data"))


def environment(options: DevOptions, inherited: dict[str, str]) -> dict[str, str]:
    return roles.child_environment(options, inherited, ROOT, "redis://127.0.0.1:1/0", 8300)


def test_children_get_this_starts_options(options: DevOptions) -> None:
    assert environment(options, {"PATH": "/bin", "PYTHONPATH": "/mine"}) == {
        "PATH": "/bin",
        "PYTHONPATH": "/repo/platform:/repo:/mine",
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "STEPWELL_BASE_URL": "http://127.0.0.1:8300",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DATABASE_URL": "sqlite:////data/stepwell.sqlite3",
        "STEPWELL_SIGNING_KEY": "deadbeef",
        "STEPWELL_EVENT_KEYS": "",
        "STEPWELL_DATA_DIR": "/data",
        "STEPWELL_SDK_URLS": "http://a,http://b",
        "STEPWELL_DISCOVERY": "1",
        "STEPWELL_POLL": "0",
        "STEPWELL_POLL_INTERVAL": "5",
        "STEPWELL_RETRY_INTERVAL": "0",
        "STEPWELL_WORKER_CONCURRENCY": "200",
        "LOG_LEVEL": "info",
    }


def test_a_flag_leaves_no_other_spelling_of_itself(options: DevOptions) -> None:
    inherited = {"INNGEST_SIGNING_KEY_FILE": "/secret", "INNGEST_REDIS_URI": "redis://other"}
    got = environment(options, inherited)
    assert got["STEPWELL_SIGNING_KEY"] == "deadbeef"
    assert set(inherited) & set(got) == set()


def test_the_stop_of_all_children_fits_into_ten_seconds() -> None:
    assert roles.STOP_ORDER == ("web", "worker", "scheduler", "valkey")
    assert sum(roles.STOP_SECONDS.values()) <= 9.5


def test_celery_reads_one_queue_per_role() -> None:
    place = roles.Place(ROOT, 3, {"A": "1"})
    spec = roles.celery_spec(place, "scheduler", "info")
    assert spec.argv == tuple(
        f"{sys.executable} -m celery -q -A config worker -P threads -c 2 --without-gossip --without-mingle "
        "--without-heartbeat -l WARNING -n scheduler@%h -Q scheduler".split()
    )
    assert spec.environment["STEPWELL_ROLES"] == "scheduler"
    assert spec.kept_descriptors == (3,)


@pytest.mark.parametrize(
    ("level", "quieter"), [("info", "warning"), ("warn", "warning"), ("debug", "debug"), ("error", "error")]
)
def test_libraries_are_quieter_than_we_are(level: str, quieter: str) -> None:
    assert roles.library_level(level) == quieter
