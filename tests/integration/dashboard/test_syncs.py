"""The syncs of an app, and those of none (spec 05, 5.4.5 and 5.4.6)."""

import json
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apps.registry.choices import SyncStatus
from apps.registry.models import App, Sync
from apps.registry.services.syncing import SyncPolicy, SyncResult, registration_receive
from apps.registry.validation import Limits
from apps.tenancy.models import DEV_ENVIRONMENT_ID, Environment
from tests.integration.dashboard.pages import link, text

URL = "http://localhost:3000/api/inngest"
START = datetime(2026, 1, 1, tzinfo=UTC)


def register(*functions: dict[str, object]) -> SyncResult:
    body = {"appName": "shop", "url": URL, "sdk": "js:v4.2.0", "v": "0.1", "deployType": "ping"}
    found = registration_receive(
        DEV_ENVIRONMENT_ID, json.dumps({**body, "functions": functions}).encode(), SyncPolicy(Limits())
    )
    assert isinstance(found, SyncResult)
    return found


def function(name: str, retries: int = 4) -> dict[str, object]:
    step = {"id": "step", "name": "step", "retries": {"attempts": retries}}
    runtime = {"type": "http", "url": f"{URL}?fnId=shop-{name}&stepId=step"}
    return {
        "id": f"shop-{name}",
        "name": name.title(),
        "triggers": [{"event": f"shop/{name}"}],
        "steps": {"step": {**step, "runtime": runtime}},
    }


@pytest.fixture
def shop(site: Client) -> App:
    """Registered with two functions, then with one of them changed, one gone and one new."""
    register(function("charge"), function("refund"))
    register(function("charge", retries=2), function("ship"))
    return App.objects.get(name="shop")


def _row(number: int, app: App | None = None, **values: object) -> Sync:
    environment = Environment.objects.get(id=DEV_ENVIRONMENT_ID)
    defaults = {
        "status": SyncStatus.ERROR,
        "error_code": "unreachable",
        "url": URL,
        "last_synced_at": START + timedelta(minutes=number),
    }
    return Sync.objects.create(
        id=uuid.UUID(int=number),
        account_id=environment.account_id,
        environment=environment,
        app=app,
        **{**defaults, **values},
    )


def opened(html: str) -> list[str]:
    """Ids of the list's syncs, in order."""
    return re.findall(r"sync-id=([0-9a-f-]{36})", html)


def test_the_latest_sync_says_what_it_changed(site: Client, shop: App) -> None:
    html = text(site.get(f"/apps/{shop.id}/syncs"))
    assert "1 added, 1 changed, 1 removed" in html
    assert re.findall(r'<h2 id="group-\d">(\w+)</h2>', html) == ["Added", "Changed", "Removed"]
    assert "<dt>steps.step.retries.attempts</dt>" in html
    assert re.findall(r"</span>(\d)</(del|ins)>", html) == [("4", "del"), ("2", "ins")]
    assert 'href="/functions/shop-ship"' in html
    assert html.index('id="group-3"') < html.index('href="/functions/shop-refund"')


def test_each_sync_can_be_opened(site: Client, shop: App) -> None:
    first = Sync.objects.filter(app=shop).earliest("created_at")
    html = text(site.get(f"/apps/{shop.id}/syncs", {"sync-id": str(first.id)}))
    assert re.findall(r'<h2 id="group-\d">(\w+)</h2>', html) == ["Added"]
    assert "<dt>steps.step.retries.attempts</dt>" not in html
    assert f'sync-id={first.id}" aria-current="true"' in html


def test_a_sync_that_changed_nothing_explains_itself(site: Client, shop: App) -> None:
    App.objects.update(publish_pending=False)  # which the engine was told meanwhile
    register(function("charge", retries=2), function("ship"))
    register(function("charge", retries=2), function("ship"))
    html = text(site.get(f"/apps/{shop.id}/syncs"))
    assert "The configuration is the one that was there already." in html
    assert "1 more time" in html


def test_a_failed_sync_says_why(site: Client, shop: App) -> None:
    _row(1, shop, error="connection <refused>", last_synced_at=datetime(2100, 1, 1, tzinfo=UTC))
    html = text(site.get(f"/apps/{shop.id}/syncs"))
    assert "Nothing answers at this URL." in html
    assert "connection &lt;refused&gt;" in html
    assert "Try again" not in html


@pytest.mark.parametrize("wanted", ["nonsense", "3044a2f5-bdfd-4fd3-a873-8ed772e38805"])
def test_a_sync_of_another_is_not_found(site: Client, shop: App, wanted: str) -> None:
    other = _row(1)
    assert site.get(f"/apps/{shop.id}/syncs", {"sync-id": wanted}).status_code == 404
    assert site.get(f"/apps/{shop.id}/syncs", {"sync-id": str(other.id)}).status_code == 404
    of_shop = Sync.objects.filter(app=shop).latest("created_at")
    assert site.get("/unattached-syncs", {"sync-id": str(of_shop.id)}).status_code == 404


def test_syncs_come_in_pages(site: Client, shop: App) -> None:
    Sync.objects.filter(app=shop).delete()
    for number in range(1, 46):
        _row(number, shop, last_synced_at=START + timedelta(minutes=number // 2))
    seen, url = [], f"/apps/{shop.id}/syncs"
    while url:
        page = site.get(url)
        seen.append(opened(text(page)))
        url = link(page, "next")
    assert [len(found) for found in seen] == [20, 20, 5]
    assert len({sync for found in seen for sync in found}) == 45
    back = link(site.get(link(page, "prev")), "prev")
    assert opened(text(site.get(back))) == seen[0]


def test_the_queries_do_not_grow(
    site: Client, shop: App, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(1, 30):
        _row(number, shop)
    latest = Sync.objects.filter(app=shop).latest("last_synced_at")
    latest.changed = [f"shop-{number}" for number in range(200)]
    latest.save()
    site.get(f"/apps/{shop.id}/syncs")
    with django_assert_num_queries(5):
        html = text(site.get(f"/apps/{shop.id}/syncs"))
    assert "and 150 more" in html


def test_unattached_syncs_are_found_from_the_apps(site: Client) -> None:
    assert "/unattached-syncs" not in text(site.get("/apps"))
    assert "Nothing failed without an app." in text(site.get("/unattached-syncs"))
    _row(1, error_code="not_sdk", error="no SDK")
    assert 'href="/unattached-syncs"' in text(site.get("/apps"))
    html = text(site.get("/unattached-syncs"))
    assert "Something answers at this URL, but it serves no functions." in html
    assert 'href="/apps/add?url=http%3A%2F%2Flocalhost%3A3000%2Fapi%2Finngest"' in html
    assert f'value="{URL}"' in text(site.get("/apps/add", {"url": URL}))
