"""The TypeScript apps of the suite, one of each SDK version for every test process."""

import shutil
from collections.abc import Callable

import pytest

from tests.e2e.conftest import AppStarter
from tests.e2e.harness import Stepwell
from tests.e2e.typescript.sdk_app import AI_KEY, SECRET_WORD, SIDE_APPS, SdkApp, install

NodeStarter = Callable[..., SdkApp]

_PREFIXES = {"v4": "ts4", "v3": "ts3"}


@pytest.fixture(scope="session")
def start_node(app_starter: AppStarter) -> NodeStarter:
    """`start(version, stepwell, *, prefix=None, sync=True, **environment)`: an app of its own."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs Node.js")

    def start(
        version: str, stepwell: Stepwell, *, prefix: str = "", sync: bool = True, **environment: str
    ) -> SdkApp:
        prefix = prefix or _PREFIXES[version]
        process = app_starter(
            ("node", "app.js"),
            install(version),
            stepwell,
            environment={"APP_ID": prefix, "AI_KEY": AI_KEY, "SECRET_WORD": SECRET_WORD, **environment},
            sync=sync,
        )
        return SdkApp(stepwell, process, version, prefix)

    return start


def _with_side_apps(app: SdkApp) -> SdkApp:
    for side_app in SIDE_APPS:
        app.stepwell.connect(app.url(side_app))
    return app


@pytest.fixture(scope="session")
def v4(stepwell: Stepwell, start_node: NodeStarter) -> SdkApp:
    return _with_side_apps(start_node("v4", stepwell))


@pytest.fixture(scope="session")
def v3(stepwell: Stepwell, start_node: NodeStarter) -> SdkApp:
    return _with_side_apps(start_node("v3", stepwell))


@pytest.fixture(params=["v4", "v3"])
def app(request: pytest.FixtureRequest) -> SdkApp:
    """The app of each version in turn."""
    found: SdkApp = request.getfixturevalue(request.param)
    return found
