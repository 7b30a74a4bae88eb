"""A producer posts to a webhook, and a function of an app runs."""

import hmac
import json
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Stepwell
from tests.e2e.python.conftest import ScriptStarter
from tests.e2e.tenants import Tenant
from tests.e2e.waiting import wait_until

SECRET = "the producer's secret"
TRANSFORM = "function transform(evt) { return {name: 'shop/echo', data: evt.order, id: evt.id}; }"

_CREATE = """
import json
from apps.audit.services import SYSTEM
from apps.tenancy.models import Environment
from apps.webhooks.services.webhooks import webhook_create, webhook_reveal, webhook_set_verification
environment = Environment.objects.get(id="%s")
made = webhook_create(environment=environment, name="Shop", actor=SYSTEM, transform=%r)
webhook_set_verification(webhook=made, scheme="github", secret=%r, actor=SYSTEM)
print(json.dumps(webhook_reveal(webhook=made, actor=SYSTEM)))
"""
_LOG = """
import json
from apps.webhooks.models import Delivery
rows = Delivery.objects.filter(environment_id="%s").order_by("id")
print(json.dumps([[row.status, row.outcome, row.verified, row.event_ids] for row in rows]))
"""


class Receiver(Tenant):
    """An organisation with a webhook."""

    def webhook(self) -> str:
        """Its URL."""
        printed = self._run(_CREATE % (self.environment_id, TRANSFORM, SECRET))
        return f"{self.stepwell.base_url}/e/{json.loads(printed.splitlines()[-1])}"

    def deliveries(self) -> list[list[object]]:
        """Of each its status, outcome, verification and events."""
        found: list[list[object]] = json.loads(self._run(_LOG % self.environment_id).splitlines()[-1])
        return found


@pytest.fixture(scope="module")
def initech(signed_stepwell: Stepwell) -> Iterator[Receiver]:
    tenant = Receiver(signed_stepwell.server, "Initech")
    yield tenant
    tenant.close()


@pytest.fixture(scope="module")
def app(initech: Receiver, start_script: ScriptStarter) -> Iterator[AppProcess]:
    started = start_script("small_app.py", initech.stepwell, APP_ID="shop", **initech.app_keys())
    yield started
    started.stop()


def post(url: str, body: object, secret: str = SECRET) -> httpx.Response:
    content = json.dumps(body).encode()
    signature = f"sha256={hmac.digest(secret.encode(), content, 'sha256').hex()}"
    headers = {"x-hub-signature-256": signature, "content-type": "application/json"}
    return httpx.post(url, content=content, headers=headers, timeout=30)


def test_a_delivery_runs_a_function_once(initech: Receiver, app: AppProcess, key: str) -> None:
    url = initech.webhook()
    body = {"id": f"order-{key}", "order": {"key": key, "value": 7}}
    assert post(url, body, "a guess").status_code == 401
    first, again = post(url, body), post(url, body)
    assert (first.status_code, again.status_code) == (200, 200), first.text
    [event_id] = first.json()["ids"]
    run = initech.stepwell.wait_for_run(event_id)
    assert run["output"] == {"value": 7, "stepped": 7}
    assert initech.stepwell.runs(again.json()["ids"][0]) == []
    assert app.labels(key) == ["echo", "end"]
    wait_until(lambda: len(initech.deliveries()) == 3, 15, lambda: str(initech.deliveries()))
    assert initech.deliveries() == [
        [401, "unverified", "failed", []],
        [200, "accepted", "verified", first.json()["ids"]],
        [200, "accepted", "verified", again.json()["ids"]],
    ]
