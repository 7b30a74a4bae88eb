"""Settings refuse what cannot be meant, and name the variable."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.settings import credentials
from config.settings import environment as env

ROOT = Path(__file__).resolve().parents[3]


def test_the_first_name_that_is_set_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND", "2")
    assert env.text("FIRST", "SECOND", default="0") == "2"
    monkeypatch.setenv("FIRST", "1")
    assert env.text("FIRST", "SECOND", default="0") == "1"


def test_choices_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODE", "SERVER")
    assert env.choice("MODE", allowed=("dev", "server"), default="dev") == "server"
    monkeypatch.setenv("ROLES", "worker, scheduler")
    assert env.choices("ROLES", allowed=("web", "worker", "scheduler"), default=()) == ["worker", "scheduler"]


def test_a_misspelt_choice_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODE", "sever")
    with pytest.raises(ImproperlyConfigured) as caught:
        env.choice("MODE", allowed=("dev", "server"), default="dev")
    assert str(caught.value) == "MODE must be one of dev, server, not 'sever'"


def test_integers_and_flags_name_their_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIZE", "10k")
    with pytest.raises(ImproperlyConfigured, match=r"^SIZE must be a whole number, not '10k'$"):
        env.integer("SIZE", default=1, minimum=0)
    monkeypatch.setenv("ON", "jes")
    with pytest.raises(ImproperlyConfigured, match=r"^ON must be true or false, not 'jes'$"):
        env.flag("ON", default=False)


def test_secrets_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a, b\n")
    monkeypatch.setenv("KEYS_FILE", str(tmp_path / "secret"))
    assert env.secret_words("KEYS") == ["a", "b"]
    monkeypatch.setenv("KEYS", "c")
    with pytest.raises(ImproperlyConfigured, match=r"^KEYS and KEYS_FILE are both set; keep one$"):
        env.secret("KEYS")


@pytest.mark.parametrize("content", [None, "\n"])
def test_a_secret_file_without_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "secret").write_text(content)
    monkeypatch.setenv("KEY_FILE", str(tmp_path / "secret"))
    with pytest.raises(ImproperlyConfigured, match=r"^KEY_FILE (cannot be read|names an empty file): "):
        env.secret("KEY")


@pytest.mark.parametrize("key", ["", "deadbeef", "signkey-prod-deadbeef", "signkey-test-00"])
def test_signing_keys_that_are_keys(key: str) -> None:
    credentials.check_signing_key("K", key)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("signkey-prod-abc", "K must be hex string with even number of chars"),
        ("signkey-prod-zz", "K must be valid hex string: "),
    ],
)
def test_signing_keys_that_are_not(key: str, message: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        credentials.check_signing_key("K", key)
    assert str(caught.value).startswith(message)


GOOD_PRODUCTION = {
    "STEPWELL_SECRET_KEY": "0123456789abcdef0123456789abcdef",
    "STEPWELL_SIGNING_KEY": "deadbeef",
    "STEPWELL_EVENT_KEYS": "a",
    "STEPWELL_ALLOWED_HOSTS": "stepwell.test",
}


def start_production(changed: dict[str, str]) -> str:
    """The last line of `manage.py check` under production settings."""
    environment = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings.production"}
    answer = subprocess.run(
        [sys.executable, "manage.py", "diffsettings", "--output", "unified"],
        cwd=ROOT,
        env=environment | GOOD_PRODUCTION | changed,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if answer.returncode == 0 else answer.stderr.strip()


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({}, ""),
        ({"DEBUG": "1"}, "Error: DEBUG must be off in production"),
        (
            {"STEPWELL_SECRET_KEY": "insecure-development-key"},
            "Error: STEPWELL_SECRET_KEY must be a secret of at least 32 characters",
        ),
        (
            {"STEPWELL_SIGNING_KEY": "", "STEPWELL_ROLES": "web"},
            "Error: STEPWELL_SIGNING_KEY is required beside STEPWELL_EVENT_KEYS",
        ),
        (
            {"STEPWELL_ALLOWED_HOSTS": ""},
            "Error: STEPWELL_ALLOWED_HOSTS must name the hosts that this server answers to",
        ),
        ({"STEPWELL_MODE": "sever"}, "Error: STEPWELL_MODE must be one of dev, server, not 'sever'"),
    ],
)
def test_production_refuses_developments_values(changed: dict[str, str], complaint: str) -> None:
    assert start_production(changed) == complaint
