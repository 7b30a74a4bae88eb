"""What an operator decides by the settings of a server (docs/flow-control.md, For operators)."""

import sys
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import AppStarter
from tests.e2e.flow_control.flow_app import FlowApp
from tests.e2e.harness import Stepwell
from tests.e2e.python.conftest import APPS
from tests.e2e.server_process import ServerProcess

SETTINGS = {
    "STEPWELL_RATE_LIMIT_MODE": "gcra",
    "STEPWELL_PRIORITY_SECONDS": "0",
    "STEPWELL_ACCOUNT_CONCURRENCY": "2",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stepwell]:
    platform = Stepwell(ServerProcess(tmp_path_factory.mktemp("settings"), environment=SETTINGS))
    yield platform
    platform.close()


@pytest.fixture(scope="module")
def app(server: Stepwell, app_starter: AppStarter) -> FlowApp:
    command = (sys.executable, "flow_control_app.py")
    process = app_starter(command, APPS, server, environment={"APP_ID": "flow-set"})
    return FlowApp(server, process, "flow-set")


def test_rate_limit_spread_evenly(app: FlowApp, key: str) -> None:
    """3 in an hour have a burst of a tenth, none: one passes, the next would after 20 minutes."""
    events = app.send_many("rated", key, [{"n": n, "user": key} for n in range(3)])
    app.finish(events[:1])
    assert [app.reasons(event) for event in events] == [[], ["RateLimited"], ["RateLimited"]]


def test_priorities_switched_off(app: FlowApp, key: str) -> None:
    events = [app.send("important", key, n=0, hold=True)]
    app.wait_for(key)
    for n, priority in ((1, 0), (2, 600)):
        events.append(app.send("important", key, n=n, p=priority))
        app.wait_until_queued(events[-1])
    app.release(key)
    app.finish(events)
    assert app.numbers(key) == [0, 1, 2]


def test_an_account_without_a_limit_of_its_own_has_the_servers(app: FlowApp, key: str) -> None:
    """Of four users, each with a slot, two at a time."""
    entries = [{"n": n, "user": f"{key}-{n}", "hold": True, "ms": 200} for n in range(4)]
    events = app.send_many("per-user", key, entries)
    app.wait_for(key, count=2)
    app.release(key)
    app.finish(events)
    assert app.most_in_flight(key) == {None: 2}
