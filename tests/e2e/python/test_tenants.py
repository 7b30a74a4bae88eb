"""Two organisations on one server, each with an app and keys of its own."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Stepwell
from tests.e2e.python.conftest import ScriptStarter
from tests.e2e.tenants import Tenant
from tests.e2e.waiting import wait_until

ROUNDS = 20
_REFUSED_CALL = re.compile(r'"POST [^"]*" 401')


@pytest.fixture(scope="module")
def acme(signed_stepwell: Stepwell) -> Iterator[Tenant]:
    tenant = Tenant(signed_stepwell.server, "Acme")
    yield tenant
    tenant.close()


@pytest.fixture(scope="module")
def globex(signed_stepwell: Stepwell) -> Iterator[Tenant]:
    tenant = Tenant(signed_stepwell.server, "Globex")
    yield tenant
    tenant.close()


@pytest.fixture(scope="module")
def apps(acme: Tenant, globex: Tenant, start_script: ScriptStarter) -> Iterator[list[AppProcess]]:
    """Both have the same id and the same functions: only their keys tell them apart."""
    started = [
        start_script("small_app.py", tenant.stepwell, APP_ID="shop", **tenant.app_keys())
        for tenant in (acme, globex)
    ]
    yield started
    for app in started:
        app.stop()


def test_neither_sees_the_other(acme: Tenant, globex: Tenant, apps: list[AppProcess], key: str) -> None:
    event_id = acme.stepwell.send("shop/echo", {"key": key, "value": 1})
    run = acme.stepwell.wait_for_run(event_id)
    assert run["output"] == {"value": 1, "stepped": 1}
    assert [app.labels(key) for app in apps] == [["echo", "end"], []]
    other = globex.stepwell.http
    assert other.get(f"/v1/runs/{run['run_id']}").status_code == 404
    assert other.delete(f"/v1/runs/{run['run_id']}").status_code == 404
    assert globex.stepwell.runs(event_id) == []
    assert run["run_id"] not in other.get("/v1/events?limit=100").text


def test_a_rotation_under_load_fails_no_call(
    acme: Tenant, globex: Tenant, apps: list[AppProcess], key: str
) -> None:
    """Runs before, during and after it; the old key is refused afterwards."""
    outputs: dict[Tenant, list[int]] = {acme: [], globex: []}
    is_rotated = threading.Event()

    def work(tenant: Tenant) -> None:
        after = 0
        while after < ROUNDS:
            after += is_rotated.is_set()
            event_id = tenant.stepwell.send("shop/echo", {"key": key, "value": len(outputs[tenant])})
            outputs[tenant].append(tenant.stepwell.wait_for_run(event_id)["output"]["value"])

    with ThreadPoolExecutor() as threads:
        working = [threads.submit(work, tenant) for tenant in (acme, globex)]
        try:
            wait_until(lambda: min(map(len, outputs.values())) >= ROUNDS, 30, lambda: str(outputs))
            old = acme.stepwell.signing_key
            acme.rotate()
        finally:
            is_rotated.set()
        for work_of_one in working:
            work_of_one.result(timeout=60)
    for tenant, app in zip((acme, globex), apps, strict=True):
        count = len(outputs[tenant])
        assert outputs[tenant] == list(range(count))
        assert app.labels(key) == ["echo", "end"] * count
        assert _REFUSED_CALL.findall(app.log_tail(10_000)) == []
    headers = {"Authorization": f"Bearer {old}"}
    assert httpx.get(f"{acme.stepwell.base_url}/v1/events", headers=headers).status_code == 401
