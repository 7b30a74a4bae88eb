"""The running platforms, one of each kind per test process, and the logs of what failed.

With STEPWELL_E2E=server the platform of all tests is `manage.py start` on PostgreSQL and Redis, signing on;
tests that concern dev mode only are marked `dev_only` and left out (`make test-e2e-server`).
"""

import os
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.app_process import AppProcess, cloud_environment, dev_environment
from tests.e2e.harness import Stepwell
from tests.e2e.server_process import ServerProcess, StartedServer

SIGNING_KEY = "signkey-test-0123456789abcdef0123456789abcdef"
EVENT_KEY = "e2e-event-key"

AppStarter = Callable[..., AppProcess]


IS_SERVER = os.environ.get("STEPWELL_E2E") == "server"


# The modules of each language that lean on how events, runs and steps are stored, signed and resumed; what
# else there is concerns SDKs and frameworks, and meets the same code on the embedded services.
ON_SERVER = {
    "python": {"test_steps", "test_signed", "test_waits", "test_parallel", "test_errors", "test_invoke"}
    | {"test_cancellations", "test_rerun"},
    "typescript": {"test_steps", "test_signed", "test_waits", "test_checkpoints"},
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In server mode what concerns dev mode is not collected at all: under CI a skip is a failure."""
    for item in items:
        if item.path.stem in ON_SERVER.get(item.path.parent.name, ()):
            item.add_marker(pytest.mark.on_server)
    if not IS_SERVER:
        return
    left_out = [item for item in items if item.get_closest_marker("dev_only")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def stepwell(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Stepwell]:
    """A platform of kind dev: no keys, retries after 1 s, apps are neither discovered nor polled."""
    if IS_SERVER:
        yield request.getfixturevalue("signed_stepwell")
        return
    platform = Stepwell(ServerProcess(tmp_path_factory.mktemp("stepwell")))
    yield platform
    platform.close()


@pytest.fixture(scope="session")
def signed_stepwell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stepwell]:
    """A platform of kind cloud that demands keys and signs what it sends."""
    server = _signing_server(tmp_path_factory.mktemp("signed"))
    platform = Stepwell(server, event_key=EVENT_KEY, signing_key=SIGNING_KEY)
    yield platform
    platform.close()


def _signing_server(folder: Path) -> ServerProcess:
    """On PostgreSQL and Redis in server mode, else on embedded services."""
    if IS_SERVER:
        return StartedServer(folder, signing_key=SIGNING_KEY, event_key=EVENT_KEY)
    return ServerProcess(
        folder,
        flags=("--signing-key", SIGNING_KEY, "--event-key", EVENT_KEY),
        environment={"STEPWELL_MODE": "server"},
    )


@pytest.fixture(scope="session")
def app_starter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppStarter]:
    """`start(command, folder, stepwell, *, environment=None, sync=True, port=None)`: an app that is
    stopped when the session ends."""
    with ExitStack() as stack:

        def start(
            command: Sequence[str],
            folder: Path,
            stepwell: Stepwell,
            *,
            environment: Mapping[str, str] | None = None,
            sync: bool = True,
            port: int | None = None,
        ) -> AppProcess:
            found = cloud_environment(stepwell) if stepwell.signing_key else dev_environment(stepwell)
            log_file = tmp_path_factory.mktemp("app") / "app.log"
            app = AppProcess(command, folder, log_file, {**found, **(environment or {})}, port=port)
            stack.callback(app.stop)
            if sync:
                stepwell.connect(app.url)
            return app

        yield start


@pytest.fixture
def key() -> str:
    """A value for `event.data.key` that no other test has."""
    return uuid.uuid4().hex


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows the end of the logs of the platform and the apps that a failed test used."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Stepwell | AppProcess):
                report.sections.append((f"Log of {name}", value.log_tail()))
    return report
