"""The apps of the flow control suite: the same functions, written with the Python and the TypeScript SDK."""

import shutil
import sys

import pytest

from tests.e2e.conftest import AppStarter
from tests.e2e.flow_control.flow_app import FlowApp
from tests.e2e.harness import Stepwell
from tests.e2e.python.conftest import APPS
from tests.e2e.typescript.sdk_app import install


@pytest.fixture(scope="session")
def python_app(stepwell: Stepwell, app_starter: AppStarter) -> FlowApp:
    command = (sys.executable, "flow_control_app.py")
    return FlowApp(
        stepwell, app_starter(command, APPS, stepwell, environment={"APP_ID": "flow-py"}), "flow-py"
    )


@pytest.fixture(scope="session")
def typescript_app(stepwell: Stepwell, app_starter: AppStarter) -> FlowApp:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs Node.js")
    command = ("node", "flow_control.js")
    process = app_starter(command, install("v4"), stepwell, environment={"APP_ID": "flow-ts"})
    return FlowApp(stepwell, process, "flow-ts")


@pytest.fixture(params=["python", "typescript"])
def app(request: pytest.FixtureRequest) -> FlowApp:
    """The app of each SDK in turn."""
    found: FlowApp = request.getfixturevalue(f"{request.param}_app")
    return found
