"""The Python apps of the suite."""

import sys
from pathlib import Path

import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.conftest import AppStarter
from tests.e2e.harness import Stepwell

APPS = Path(__file__).resolve().parents[1] / "apps" / "python"


@pytest.fixture(scope="session")
def app(stepwell: Stepwell, app_starter: AppStarter) -> AppProcess:
    """The FastAPI app, which holds most functions."""
    return app_starter((sys.executable, "fastapi_app.py"), APPS, stepwell)


@pytest.fixture(scope="session")
def flask_app(stepwell: Stepwell, app_starter: AppStarter) -> AppProcess:
    return app_starter((sys.executable, "flask_app.py"), APPS, stepwell)


@pytest.fixture(scope="session")
def django_app(stepwell: Stepwell, app_starter: AppStarter) -> AppProcess:
    return app_starter((sys.executable, "django_app.py"), APPS, stepwell)
