from datetime import UTC, datetime, timedelta

from django.test import Client
from django.utils import timezone

from apps.registry.choices import SyncStatus
from apps.registry.models import App, Function, Sync
from tests.browser import seed_ids as ids
from tests.integration.dashboard.pages import row_ids, text


def test_without_functions_the_list_leads_to_the_apps(site: Client) -> None:
    html = text(site.get("/functions"))
    assert "No functions yet" in html
    assert 'href="/apps"' in html


def test_functions_show_their_triggers_and_configuration(seeded: Client) -> None:
    html = text(seeded.get("/functions"))
    assert "TZ=Europe/Berlin 30 2 * * 1-5" in html
    assert "<strong>Concurrency</strong> 5 at once per event.data.customerId" in html
    assert "<strong>Debounce</strong> 30 s per event.data.provider" in html
    assert "<strong>Batch</strong> up to 100 within 5 s" in html
    assert "<strong>Must finish within</strong> 1 h" in html


def test_a_function_shows_its_own_runs(seeded: Client) -> None:
    rows = row_ids(seeded.get("/functions/shop-fulfil-order"))
    assert len(rows) == 20
    assert rows[:3] == [f"run-{run}" for run in (ids.RUNNING_RUN, ids.CANCELLED_RUN, ids.COMPLETED_RUN)]


def test_an_archived_function_keeps_its_page_but_cannot_be_invoked(seeded: Client) -> None:
    Function.objects.filter(id=ids.FULFIL).update(archived_at=datetime(2026, 1, 1, tzinfo=UTC))
    html = text(seeded.get("/functions/shop-fulfil-order"))
    assert "no longer served by its app" in html
    assert "/invoke" not in html
    assert seeded.get("/functions/shop-fulfil-order/invoke").status_code == 404


def test_apps_say_how_they_are(seeded: Client) -> None:
    html = text(seeded.get("/apps"))
    assert html.index("http://localhost:3999/api/inngest") < html.index("billing-service")
    assert "Nothing answers at this URL." in html
    assert "connection refused" in html
    assert "py 0.5.19" in html


def _synced(app: App, status: SyncStatus, warnings: list[str], minutes: int) -> None:
    Sync.objects.create(
        account_id=app.account_id,
        environment_id=app.environment_id,
        app=app,
        status=status,
        warnings=warnings,
        last_synced_at=timezone.now() + timedelta(minutes=minutes),
    )


def test_an_app_shows_the_warnings_of_the_configuration_that_it_has(seeded: Client) -> None:
    app = App.objects.exclude(name="").order_by("name")[0]
    _synced(app, SyncStatus.SUCCESS, ["'old': mended since"], minutes=1)
    _synced(app, SyncStatus.SUCCESS, [f"'fn-{number}': <b>no effect</b>" for number in range(12)], minutes=2)
    _synced(app, SyncStatus.DUPLICATE, [], minutes=3)
    html = text(seeded.get("/apps"))
    assert html.count("Settings without effect") == 1
    assert "&#x27;fn-9&#x27;: &lt;b&gt;no effect&lt;/b&gt;" in html
    assert "fn-10" not in html
    assert "and 2 more" in html
    assert "mended since" not in html


def test_an_app_whose_warnings_are_mended_shows_none(seeded: Client) -> None:
    app = App.objects.exclude(name="").order_by("name")[0]
    _synced(app, SyncStatus.SUCCESS, ["'fn': no effect"], minutes=1)
    assert "Settings without effect" in text(seeded.get("/apps"))
    _synced(app, SyncStatus.SUCCESS, [], minutes=2)
    assert "Settings without effect" not in text(seeded.get("/apps"))


def test_without_apps_the_list_says_how_to_get_one(site: Client) -> None:
    html = text(site.get("/apps"))
    assert "No apps yet" in html
    assert "INNGEST_DEV=http://testserver" in html


def test_an_app_that_does_not_answer_is_added_with_its_error(site: Client) -> None:
    response = site.post("/apps/add", {"url": "http://127.0.0.1:1/api/inngest"})
    assert response["Location"] == "/apps"
    assert App.objects.get().error == "unreachable"
    assert "could not be synced: Unreachable." in text(site.get("/apps"))


def test_a_text_that_is_no_url_is_refused(site: Client) -> None:
    for url in ("", "http://"):
        response = site.post("/apps/add", {"url": url})
        assert response.status_code == 422
        assert 'id="app-url-error" role="alert"' in text(response)
    assert not App.objects.exists()


def test_an_app_can_be_removed(seeded: Client) -> None:
    assert "Remove http://localhost:3999/api/inngest?" in text(seeded.get(f"/apps/{ids.BROKEN}/remove"))
    assert seeded.post(f"/apps/{ids.BROKEN}/remove")["Location"] == "/apps"
    assert not App.objects.filter(id=ids.BROKEN).exists()
