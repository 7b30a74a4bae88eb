"""Procfile, Dockerfile, compose file and Makefile fit the project, as far as that shows without a daemon."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.staticfiles.finders import find
from django.core.management import call_command
from django.test import override_settings
from pytest_django.fixtures import Settings

from apps.devserver.roles import celery_command
from apps.server.role import ROLES, command_of

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
APP_SERVICES = ("migrate", "web", "worker", "scheduler")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
_REFERENCE = re.compile(r"\$\{(\w+)")


def known_variables() -> set[str]:
    """Every name that the settings, or the options of `start`, read."""
    sources = (ROOT / "platform/config/settings").glob("*.py")
    names = {name for path in sources for name in re.findall(r'"([A-Z][A-Z_]+)"', path.read_text())}
    pool = {f"STEPWELL_POSTGRES_{name}" for name in ("MAX_OPEN_CONNS", "MAX_IDLE_CONNS")}
    return names | pool


@pytest.mark.parametrize("service", APP_SERVICES)
def test_compose_sets_only_what_the_settings_know(service: str) -> None:
    assert set(COMPOSE["services"][service]["environment"]) - known_variables() == set()


def test_each_variable_that_compose_asks_for_is_in_the_example_or_has_a_default() -> None:
    text = (ROOT / "compose.yaml").read_text()
    example = re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    required = re.findall(r"\$\{(\w+):\?", text)
    assert set(required) == {"POSTGRES_PASSWORD", "STEPWELL_SECRET_KEY"}
    assert set(required) - set(example) == set()
    assert set(example) - set(_REFERENCE.findall(text)) == set()


@pytest.mark.parametrize("service", APP_SERVICES)
def test_services_have_no_rights_and_write_nothing(service: str) -> None:
    found = COMPOSE["services"][service]
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["tmpfs"] == ["/tmp"]


def test_compose_has_one_of_each_role_and_waits_for_what_it_needs() -> None:
    services = COMPOSE["services"]
    for role in ROLES:
        assert services[role]["command"] == ["python", "-m", "apps.server.role", role]
        assert services[role]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "valkey": {"condition": "service_healthy"},
        }
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["worker"]["healthcheck"]["test"][-1] == "worker"
    assert "noeviction" in services["valkey"]["command"]


def test_the_image_runs_without_rights_and_is_checked() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "\nUSER 10001\n" in final
    assert "\nHEALTHCHECK " in final
    assert "DJANGO_SETTINGS_MODULE=config.settings.production" in final
    for source in re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE):
        assert (ROOT / source).exists()


def test_the_build_sees_all_that_it_copies_and_nothing_else() -> None:
    allowed = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    copied = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE)
    assert sorted(allowed) == sorted(copied)
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"


def test_the_procfile_has_every_role() -> None:
    lines = dict(
        line.split(": ", 1)
        for line in (ROOT / "Procfile").read_text().splitlines()
        if not line.startswith("#")
    )
    assert set(lines) == {"release", *ROLES}
    assert all(line.startswith("PYTHONPATH=platform:. ") for line in lines.values())
    for role in ROLES:
        assert f"python -m apps.server.role {role}" in lines[role]


def test_commands_of_roles() -> None:
    assert command_of("web", ["--port", "1"], "info")[1:] == ("-m", "apps.server.web", "--port", "1")
    assert command_of("worker", [], "info") == celery_command("worker", "info")


def test_collected_files_have_hashes_and_import_one_another_by_them(
    tmp_path: Path, settings: Settings
) -> None:
    """A browser keeps each file for good, and an import must not lead to an old one."""
    storages = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "apps.server.static_storage.HashedFilesStorage"},
    }
    with override_settings(STORAGES=storages, STATIC_ROOT=tmp_path):
        call_command("collectstatic", interactive=False, verbosity=0)
    [collected] = tmp_path.glob("js/main.????????????.js")
    assert find("js/main.js")
    imports = re.findall(r"from\s*[\"']([^\"']+)[\"']", collected.read_text())
    assert imports
    for name in imports:
        assert re.search(r"\.[0-9a-f]{12}\.js$", name), name
        assert (collected.parent / name).resolve().is_file()
