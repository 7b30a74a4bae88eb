"""The queue on a function's page: what it shows, and pausing and resuming there."""

import re

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.dashboard import auditing
from apps.dashboard.templatetags.dashboard import NOTHING
from apps.engine.bridge import engine_call
from apps.engine.engine import Engine
from apps.engine.functions import decode_spec
from apps.engine.store.requests import RerunRequest
from apps.operations.models import Cancellation
from apps.registry.models import Function
from tests.browser import seed_ids as ids
from tests.browser import seed_registry
from tests.integration.dashboard.pages import fragment, text

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

URL = "/functions/shop-fulfil-order"


@pytest.fixture
def shop(transactional_db: None, settings: Settings, redis_url: str) -> Client:
    """The seed's functions, published; at most 5 steps at once of each customer of `fulfil-order`."""
    settings.REDIS_URL = redis_url
    seed_registry.write()
    specs = [decode_spec(row.spec.encode()) for row in Function.objects.all()]
    engine_call(lambda engine: engine.publish_functions(specs))
    return Client(enforce_csrf_checks=True)


def start(customer: str, count: int) -> None:
    body = b'{"data":{"customerId":"%b"},"id":"e","name":"a","ts":1,"user":{}}' % customer.encode()
    request = RerunRequest(str(ids.ENV_ID), str(ids.FULFIL), [body], ["01E"], ["a"], "")

    async def run(engine: Engine) -> None:
        for _ in range(count):
            await engine.rerun(request)

    engine_call(run)


def lease(count: int = 20) -> int:
    return len(engine_call(lambda engine: engine.queue.lease(count)).leased)


def words(html: str) -> str:
    """The texts of the queue's panel."""
    panel = re.search(r'<section class="panel" id="function-queue".*?</section>', html, re.DOTALL)
    assert panel
    return " ".join(re.sub(r"<[^>]+>", " ", panel.group()).split())


def send(client: Client, path: str, **data: str) -> tuple[int, str]:
    """Post the form as a browser does, with the token of the page; (status, where it leads or its text)."""
    client.get(f"{URL}/pause")
    token = client.cookies["csrftoken"].value
    answer = client.post(f"{URL}/{path}", {"csrfmiddlewaretoken": token, **data})
    return answer.status_code, answer.headers.get("Location", answer.content.decode())


def fulfil() -> Function:
    return Function.objects.get(id=ids.FULFIL)


def test_an_empty_queue(shop: Client) -> None:
    shown = words(text(shop.get(URL)))
    assert shown == (
        f"Queue Pause Drain Blocked by Nothing Waiting 0 Oldest has waited {NOTHING} "
        "In flight 0 account: 0 of 1,000 Runs not ended 0"
    )


def test_what_waits_and_for_what(shop: Client) -> None:
    start("c1", 7)
    assert lease() == 5
    start("c2", 1)
    shown = words(text(shop.get(URL)))
    assert "Blocked by Nothing: the next free worker takes it Waiting 3 " in shown
    assert "In flight 5 account: 5 of 1,000 Runs not ended 8 Key queues 2" in shown
    assert "event.data.customerId = c1 2 Concurrency key, 5 of 5 in use" in shown
    assert "event.data.customerId = c2 1 Nothing: the next free worker takes it" in shown


def test_the_panel_refreshes_by_itself(shop: Client) -> None:
    start("c1", 1)
    answer = fragment(shop, URL, "function-queue")
    assert text(answer).count("<section") == 1
    assert "Waiting 1 " in words(text(answer))


def test_only_the_panel_is_amiss_while_redis_is_away(shop: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = shop.get(URL)
    assert answer.status_code == 200
    assert "The queue cannot be read at the moment." in words(text(answer))


def test_pausing_keeps_the_runs_and_resuming_lets_them_go_on(shop: Client) -> None:
    start("c1", 2)
    assert send(shop, "pause", runs="keep") == (302, URL)
    assert fulfil().paused_at is not None
    assert lease() == 0
    shown = words(text(shop.get(URL)))
    assert shown.startswith("Queue Paused Resume Drain Blocked by The function is paused Waiting 2 ")
    assert not Cancellation.objects.exists()

    assert send(shop, "resume") == (302, URL)
    assert fulfil().paused_at is None
    assert lease() == 2


def test_cancelling_the_runs_is_asked_for_twice(shop: Client) -> None:
    start("c1", 3)
    status, html = send(shop, "pause", runs="cancel")
    assert status == 200
    assert "Cancel the runs of Fulfil order?" in html
    assert "(3 at the moment)" in html
    assert fulfil().paused_at is None
    assert not Cancellation.objects.exists()

    assert send(shop, "pause", runs="cancel", confirmed="1") == (302, URL)
    assert Cancellation.objects.get().function_id == ids.FULFIL
    assert fulfil().paused_at is not None


@pytest.mark.parametrize("path", ["pause", "resume"])
def test_a_request_from_elsewhere_changes_nothing(shop: Client, path: str) -> None:
    paused_at = timezone.now() if path == "resume" else None
    Function.objects.filter(id=ids.FULFIL).update(paused_at=paused_at)
    assert shop.post(f"{URL}/{path}", {"runs": "keep"}).status_code == 403
    assert fulfil().paused_at == paused_at


def test_looking_does_not_resume(shop: Client) -> None:
    Function.objects.filter(id=ids.FULFIL).update(paused_at=timezone.now())
    assert shop.get(f"{URL}/resume").status_code == 405
    assert fulfil().paused_at is not None


def test_an_archived_function_can_be_resumed_but_not_paused(shop: Client) -> None:
    Function.objects.filter(id=ids.FULFIL).update(archived_at=timezone.now())
    assert "Pause" not in words(text(shop.get(URL)))
    assert shop.get(f"{URL}/pause").status_code == 404
    Function.objects.filter(id=ids.FULFIL).update(paused_at=timezone.now())
    assert "Resume" in words(text(shop.get(URL)))


def test_a_pause_that_redis_has_not_heard_of_says_so(shop: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    status, html = send(shop, "pause", runs="keep")
    assert status == 422
    assert "Redis is not reachable at the moment. Try again." in html
    assert fulfil().paused_at is not None
    assert send(shop, "resume") == (302, URL)
    assert fulfil().paused_at is None


def test_a_pause_that_redis_has_not_heard_of_cancels_nothing_and_the_record_says_so(
    shop: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dev mode keeps no log, so what is told to it counts."""
    told: list[dict[str, object]] = []
    monkeypatch.setattr(auditing, "audit_change", lambda **entry: told.append(entry))
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    status, _ = send(shop, "pause", runs="cancel", confirmed="1")
    assert status == 422
    assert not Cancellation.objects.exists()
    assert [(entry["action"], entry["after"]) for entry in told] == [
        ("function.pause", {"cancels_running": False})
    ]


def test_draining_starts_no_run_until_it_ends(shop: Client) -> None:
    shown = send(shop, "drain")
    assert shown == (302, URL)
    assert fulfil().drained_at is not None
    start("c1", 1)
    assert lease() == 0
    html = words(text(shop.get(URL)))
    assert html.startswith("Queue Drained Pause End drain No run of this function starts:")
    assert send(shop, "undrain") == (302, URL)
    assert fulfil().drained_at is None
    start("c2", 2)
    assert lease() == 2


def test_draining_is_asked_for_first(shop: Client) -> None:
    html = text(shop.get(f"{URL}/drain"))
    assert "Drain Fulfil order?" in html
    assert fulfil().drained_at is None
    assert shop.get(f"{URL}/undrain").status_code == 405


def test_a_pause_and_a_drain_are_independent(shop: Client) -> None:
    send(shop, "pause", runs="keep")
    send(shop, "drain")
    send(shop, "resume")
    assert (fulfil().paused_at, fulfil().drained_at is None) == (None, False)


def test_an_archived_function_is_not_drained_but_its_drain_can_end(shop: Client) -> None:
    token = {"csrfmiddlewaretoken": _token(shop)}
    Function.objects.filter(id=ids.FULFIL).update(archived_at=timezone.now())
    assert shop.get(f"{URL}/drain").status_code == 404
    Function.objects.filter(id=ids.FULFIL).update(drained_at=timezone.now())
    assert shop.post(f"{URL}/undrain", token).status_code == 302
    assert fulfil().drained_at is None


def _token(client: Client) -> str:
    client.get(f"{URL}/drain")
    return client.cookies["csrftoken"].value


def test_a_drain_that_redis_has_not_heard_of_says_so(shop: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    status, html = send(shop, "drain")
    assert status == 422
    assert "Redis is not reachable at the moment. Try again." in html
