"""Options of `manage.py dev`: flag, then environment, then file, then default (spec 03 9.2 and 9.4)."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.devserver.options import DevOptions, read_options

DATA_DIR = Path("/data")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with no configuration file in it or at home."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def read(flags: dict[str, object] | None = None, environment: dict[str, str] | None = None) -> DevOptions:
    return read_options(flags or {}, environment or {}, DATA_DIR)


def test_defaults() -> None:
    assert read() == DevOptions(
        host="",
        port=8288,
        data_dir=DATA_DIR,
        sqlite_dir=DATA_DIR,
        sdk_urls=(),
        discovery=True,
        poll=True,
        poll_interval=5,
        retry_interval=0,
        queue_workers=200,
        signing_key="",
        event_keys=(),
        log_level="info",
        json_logs=False,
        redis_url="",
        database_url="",
        valkey_fsync="everysec",
        notes=(),
    )


def test_flags_are_read_as_text() -> None:
    options = read(
        {
            "port": "0",
            "host": "127.0.0.1",
            "sdk-url": ["http://a/api", "http://b/api"],
            "no-discovery": True,
            "no-poll": True,
            "poll-interval": "7",
            "retry-interval": "2",
            "signing-key": "signkey-test-deadbeef",
            "event-key": ["k1", "k2"],
        }
    )
    assert (options.port, options.host, options.sdk_urls) == (
        0,
        "127.0.0.1",
        ("http://a/api", "http://b/api"),
    )
    assert (options.discovery, options.poll, options.poll_interval, options.retry_interval) == (
        False,
        False,
        7,
        2,
    )
    assert (options.signing_key, options.event_keys) == ("signkey-test-deadbeef", ("k1", "k2"))


def test_precedence_is_flag_environment_file_default(folder: Path) -> None:
    (folder / "inngest.yaml").write_text("port: 3\nhost: from-file\npoll-interval: 30\n")
    environment = {"INNGEST_PORT": "2", "INNGEST_HOST": "from-environment"}
    options = read({"port": "1"}, environment)
    assert (options.port, options.host, options.poll_interval) == (1, "from-environment", 30)
    assert options.retry_interval == 0


def test_our_own_variable_wins_over_the_alias() -> None:
    assert read(environment={"STEPWELL_PORT": "1", "INNGEST_PORT": "2"}).port == 1


def test_lists_in_the_environment_are_comma_separated() -> None:
    options = read(environment={"INNGEST_SDK_URL": "http://a, http://b", "INNGEST_EVENT_KEY": "k1,k2"})
    assert (options.sdk_urls, options.event_keys) == (("http://a", "http://b"), ("k1", "k2"))


@pytest.mark.parametrize("word", ["true", "1", "YES", "on"])
def test_switches_in_the_environment(word: str) -> None:
    assert read(environment={"INNGEST_NO_DISCOVERY": word}).discovery is False


def test_an_empty_variable_counts_as_not_set() -> None:
    assert read(environment={"INNGEST_PORT": ""}).port == 8288


def test_secrets_come_from_files_too(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("signkey-prod-deadbeef\n")
    assert read(environment={"INNGEST_SIGNING_KEY_FILE": str(secret)}).signing_key == "signkey-prod-deadbeef"


@pytest.mark.parametrize(
    ("flags", "environment", "message"),
    [
        ({"port": "http"}, {}, "--port must be a whole number, not 'http'"),
        ({"port": "65536"}, {}, "--port must be between 0 and 65535, not 65536"),
        ({"poll-interval": "0"}, {}, "--poll-interval must be between 1 and 86400, not 0"),
        (
            {"log-level": "loud"},
            {},
            "--log-level must be one of trace, debug, info, warn, warning, error, not 'loud'",
        ),
        (
            {},
            {"LOG_LEVEL": "loud"},
            "LOG_LEVEL must be one of trace, debug, info, warn, warning, error, not 'loud'",
        ),
        (
            {},
            {"STEPWELL_VALKEY_FSYNC": "no"},
            "STEPWELL_VALKEY_FSYNC must be one of everysec, always, not 'no'",
        ),
        ({}, {"INNGEST_NO_POLL": "perhaps"}, "INNGEST_NO_POLL must be true or false, not 'perhaps'"),
        (
            {},
            {"STEPWELL_SIGNING_KEY": "a", "STEPWELL_SIGNING_KEY_FILE": "/b"},
            "STEPWELL_SIGNING_KEY and STEPWELL_SIGNING_KEY_FILE are both set; keep one",
        ),
    ],
)
def test_a_value_that_cannot_be_meant_names_its_source(
    flags: dict[str, object], environment: dict[str, str], message: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        read(flags, environment)
    assert str(caught.value) == message


def test_the_environment_variable_log_level_wins_over_the_flag() -> None:
    assert read({"log-level": "error"}, {"LOG_LEVEL": "DEBUG"}).log_level == "debug"
    assert read({"verbose": True}).log_level == "debug"


def test_the_embedded_valkey_can_sync_each_write() -> None:
    assert read({}, {"STEPWELL_VALKEY_FSYNC": "always"}).valkey_fsync == "always"


def test_accepted_options_without_effect_are_named() -> None:
    assert read({"tick": "10", "persist": True}).notes == (
        "--tick has no effect: work is pushed to executors, nothing is polled",
        "--persist has no effect: data is always kept in the data folder",
    )


def test_the_named_file_is_read_instead_of_a_found_one(folder: Path) -> None:
    (folder / "inngest.json").write_text('{"port": 1}')
    other = folder / "other.toml"
    other.write_text('port = 2\nurls = ["http://a"]\nno-discovery = true\n')
    options = read({"config": str(other)})
    assert (options.port, options.sdk_urls, options.discovery) == (2, ("http://a",), False)
    assert read(environment={"INNGEST_CONFIG": str(other)}).port == 2


def test_a_wrong_value_in_the_file_names_key_and_file(folder: Path) -> None:
    (folder / "stepwell.yaml").write_text("no-poll: 3\n")
    with pytest.raises(ImproperlyConfigured) as caught:
        read()
    assert str(caught.value) == f"no-poll in {folder / 'stepwell.yaml'} must be true or false, not 3"
