"""The Python apps of the suite."""

import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.conftest import AppStarter
from tests.e2e.harness import Stepwell

APPS = Path(__file__).resolve().parents[1] / "apps" / "python"

ScriptStarter = Callable[..., AppProcess]


@pytest.fixture(scope="session")
def start_script(app_starter: AppStarter) -> ScriptStarter:
    """`start(script, stepwell, sync=True, **environment)`: one of the scripts of the apps folder."""

    def start(script: str, stepwell: Stepwell, sync: bool = True, **environment: str) -> AppProcess:
        command = (sys.executable, script)
        return app_starter(command, APPS, stepwell, sync=sync, environment=environment)

    return start


@pytest.fixture(scope="session")
def app(stepwell: Stepwell, start_script: ScriptStarter) -> AppProcess:
    """The FastAPI app, which holds most functions."""
    return start_script("fastapi_app.py", stepwell)


@pytest.fixture(scope="session")
def flask_app(stepwell: Stepwell, start_script: ScriptStarter) -> AppProcess:
    return start_script("flask_app.py", stepwell)


@pytest.fixture(scope="session")
def django_app(stepwell: Stepwell, start_script: ScriptStarter) -> AppProcess:
    return start_script("django_app.py", stepwell)


@pytest.fixture
def app_id() -> str:
    """A name for an app that one test has for itself."""
    return f"py-{uuid.uuid4().hex[:12]}"
