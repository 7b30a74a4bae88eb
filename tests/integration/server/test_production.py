"""Production's settings: what they refuse, and that Django's own judge has nothing to say."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SECRET = secrets.token_urlsafe(48)
GOOD = {"STEPWELL_SECRET_KEY": SECRET, "STEPWELL_BASE_URL": "https://stepwell.test"}
SHOW = (
    "import json; from django.conf import settings as s; print(json.dumps({n: getattr(s, n) for n in %r}, "
    "default=str))"
)


def python(*arguments: str, **changed: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "DATABASE_URL": "sqlite://:memory:",
        **GOOD,
        **changed,
    }
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def settings_of(*names: str, **changed: str) -> dict[str, object]:
    answer = python("-c", SHOW % (names,), **changed)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, object] = json.loads(answer.stdout)
    return found


def test_check_deploy_is_clean() -> None:
    answer = python("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == "System check identified no issues (1 silenced).\n"


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"DEBUG": "1"}, "DEBUG must be off in production"),
        ({"STEPWELL_SECRET_KEY": ""}, "STEPWELL_SECRET_KEY must be a secret of at least 32 characters"),
        ({"STEPWELL_SECRET_KEY": "short"}, "STEPWELL_SECRET_KEY must be a secret of at least 32 characters"),
        (
            {"STEPWELL_BASE_URL": ""},
            "STEPWELL_ALLOWED_HOSTS must name the hosts that this server answers to",
        ),
        (
            {"STEPWELL_ALLOWED_HOSTS": "*"},
            "STEPWELL_ALLOWED_HOSTS must name the hosts that this server answers to",
        ),
        (
            {"STEPWELL_ROLES": "web", "STEPWELL_SIGNING_KEY": "deadbeef"},
            "STEPWELL_EVENT_KEYS needs at least one key beside STEPWELL_SIGNING_KEY",
        ),
        (
            {"DATABASE_URL": "postgres://h/d", "INNGEST_POSTGRES_MAX_OPEN_CONNS": "1"},
            "postgres-max-open-conns (1) must be greater than 1",
        ),
        (
            {"DATABASE_URL": "postgres://h/d", "STEPWELL_POSTGRES_MAX_IDLE_CONNS": "30"},
            "postgres-max-idle-conns (30) cannot be greater than postgres-max-open-conns (20)",
        ),
    ],
)
def test_what_production_refuses(changed: dict[str, str], complaint: str) -> None:
    answer = python("manage.py", "diffsettings", **changed)
    assert (answer.returncode, answer.stderr) == (1, f"Error: {complaint}\n")


def test_https_makes_everything_strict_and_http_does_not() -> None:
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS")
    assert list(settings_of(*names).values()) == [True, True, True, 31_536_000]
    plain = settings_of(*names, STEPWELL_BASE_URL="http://stepwell.internal:8288")
    assert list(plain.values()) == [False, False, False, 0]


def test_hosts_come_from_the_public_address_and_loopback_is_for_health_checks() -> None:
    loopback = ["localhost", "127.0.0.1", "[::1]"]
    assert settings_of("ALLOWED_HOSTS")["ALLOWED_HOSTS"] == ["stepwell.test", *loopback]
    named = settings_of("ALLOWED_HOSTS", STEPWELL_ALLOWED_HOSTS="a.test,b.test")
    assert named["ALLOWED_HOSTS"] == ["a.test", "b.test", *loopback]


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("STEPWELL_SECRET_KEY", "SECRET_KEY"),
        ("STEPWELL_SIGNING_KEY", "STEPWELL_SIGNING_KEY"),
        ("STEPWELL_SIGNING_KEY_FALLBACK", "STEPWELL_SIGNING_KEY_FALLBACK"),
        ("STEPWELL_METRICS_TOKEN", "STEPWELL_METRICS_TOKEN"),
        ("REDIS_URL", "REDIS_URL"),
        ("DATABASE_URL", "DATABASE_URL"),
    ],
)
def test_each_secret_may_come_from_a_file(tmp_path: Path, variable: str, setting: str) -> None:
    values = {"REDIS_URL": "redis://h:1/0", "DATABASE_URL": "sqlite:////tmp/other.sqlite3"}
    value = values.get(variable, "0123456789abcdef" * 4)
    (tmp_path / "secret").write_text(f"{value}\n")
    found = settings_of(setting, **{variable: "", f"{variable}_FILE": str(tmp_path / "secret")})
    assert found[setting] == value


def test_config_check_tells_values_and_sources_but_no_secret(tmp_path: Path) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    answer = python(
        *("manage.py", "config", "check", "--as-json", "--signing-key", f"signkey-prod-{secret}"),
        INNGEST_EVENT_KEY="event-key-0123456789",
        DATABASE_URL="postgres://stepwell:hunter2@db/stepwell",
        HOME=str(tmp_path),
    )
    assert answer.returncode == 0, answer.stderr
    assert not [word for word in (secret, SECRET, "hunter2", "0123456789") if word in answer.stdout]
    found = {line["name"]: (line["value"], line["source"]) for line in json.loads(answer.stdout)}
    assert found["--signing-key"] == ("signkey-prod-…", "flag")
    assert found["--event-key"] == ("event-k…", "INNGEST_EVENT_KEY")
    assert found["--postgres-uri"] == ("postgres://stepwell:…@db/stepwell", "DATABASE_URL")
    assert found["--redis-uri"] == ("embedded Valkey", "default")
    assert found["STEPWELL_SECRET_KEY"] == ("…", "STEPWELL_SECRET_KEY")
    assert found["STEPWELL_DRAIN_SECONDS"] == ("15", "default")


def test_config_check_refuses_what_start_refuses() -> None:
    answer = python("manage.py", "config", "check", "--signing-key", "abc", "--event-key", "x")
    assert (answer.returncode, answer.stderr) == (
        1,
        "Error: signing-key must be hex string with even number of chars\n",
    )
