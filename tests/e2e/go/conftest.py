"""Apps of the Go double.

The Go module proxy refuses github.com/inngest/inngestgo, so these apps are no Go programs: they
speak Go's dialect as spec 01 13 and spec 04 4.18 write it down. What passes here says that Stepwell
and the specification agree, not that a released Go SDK works; `test_sdk_row.py` keeps that open.
"""

import sys

import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.conftest import AppStarter
from tests.e2e.harness import Stepwell
from tests.e2e.server_process import ROOT

COMMAND = (sys.executable, "-m", "tests.e2e.apps.go.main")


@pytest.fixture(scope="session")
def app(stepwell: Stepwell, app_starter: AppStarter) -> AppProcess:
    return app_starter(COMMAND, ROOT, stepwell)


@pytest.fixture(scope="session")
def streaming_app(stepwell: Stepwell, app_starter: AppStarter) -> AppProcess:
    """The same functions, each answer a 201 stream."""
    environment = {"APP_ID": "go-streaming", "GO_STREAMING": "true"}
    return app_starter(COMMAND, ROOT, stepwell, environment=environment)


@pytest.fixture(scope="session")
def signed_app(signed_stepwell: Stepwell, app_starter: AppStarter) -> AppProcess:
    environment = {"GO_OPTION_API_BASE_URL": signed_stepwell.base_url}
    return app_starter(COMMAND, ROOT, signed_stepwell, environment=environment)


@pytest.fixture(scope="session")
def app_without_checkpoints(signed_stepwell: Stepwell, app_starter: AppStarter) -> AppProcess:
    """Its checkpoint client posts to a path where the server has nothing."""
    environment = {"APP_ID": "go-refused", "GO_OPTION_API_BASE_URL": f"{signed_stepwell.base_url}/nothing"}
    return app_starter(COMMAND, ROOT, signed_stepwell, environment=environment)
