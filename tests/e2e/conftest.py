"""The running platforms, one of each kind per test process, and the logs of what failed."""

import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.app_process import AppProcess, cloud_environment, dev_environment
from tests.e2e.harness import Stepwell
from tests.e2e.server_process import ServerProcess

SIGNING_KEY = "signkey-test-0123456789abcdef0123456789abcdef"
EVENT_KEY = "e2e-event-key"

AppStarter = Callable[..., AppProcess]


@pytest.fixture(scope="session")
def stepwell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stepwell]:
    """A platform of kind dev: no keys, retries after 1 s, apps are neither discovered nor polled."""
    platform = Stepwell(ServerProcess(tmp_path_factory.mktemp("stepwell")))
    yield platform
    platform.close()


@pytest.fixture(scope="session")
def signed_stepwell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stepwell]:
    """A platform of kind cloud, on embedded services, that demands keys and signs what it sends."""
    server = ServerProcess(
        tmp_path_factory.mktemp("signed"),
        flags=("--signing-key", SIGNING_KEY, "--event-key", EVENT_KEY),
        environment={"STEPWELL_MODE": "server"},
    )
    platform = Stepwell(server, event_key=EVENT_KEY, signing_key=SIGNING_KEY)
    yield platform
    platform.close()


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
                _sync(stepwell, app)
            return app

        yield start


def _sync(stepwell: Stepwell, app: AppProcess) -> None:
    """By a deploy hook in dev; an app in cloud mode only trusts a signed ping of the server."""
    if stepwell.signing_key:
        record = stepwell.sync_by_server(app.url)
        assert record["connected"], record
        return
    answer = stepwell.sync(app.url)
    assert answer.status_code == 200, f"{answer.text}\n{app.log_tail()}"


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
