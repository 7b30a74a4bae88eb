import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.browser import seed_ids as ids
from tests.integration.dashboard.pages import fragment, text

FRAGMENTS = [
    ("/runs", "runs-list"),
    (f"/runs/{ids.COMPLETED_RUN}", "run"),
    (f"/runs/{ids.COMPLETED_RUN}", "run-timeline"),
    (f"/runs/{ids.RUNNING_RUN}/cancel", "dialog-body"),
    (f"/runs/{ids.COMPLETED_RUN}/rerun", "dialog-body"),
    ("/events", "events-list"),
    (f"/events/{ids.BUSY_EVENT}", "event-outcome"),
    ("/events/send", "dialog-body"),
    ("/functions/shop-fulfil-order", "function-runs"),
    ("/functions/shop-fulfil-order/invoke", "dialog-body"),
    ("/apps", "apps-list"),
    ("/apps/add", "dialog-body"),
    (f"/apps/{ids.SHOP}/remove", "dialog-body"),
]


@pytest.mark.parametrize(("url", "target"), FRAGMENTS)
def test_every_fragment_url_is_also_a_page(seeded: Client, url: str, target: str) -> None:
    page, part = seeded.get(url), fragment(seeded, url, target)
    assert (page.status_code, part.status_code) == (200, 200)
    assert text(page).startswith("<!doctype html>")
    assert "<html" not in text(part)
    assert {"HX-Request", "HX-Target"} <= set(page["Vary"].split(", "))


def test_a_page_from_the_browsers_history_is_whole(seeded: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "runs-list", "HX-History-Restore-Request": "true"}
    assert text(seeded.get("/runs", headers=headers)).startswith("<!doctype html>")


@pytest.mark.parametrize(
    "url", ["/nope", "/runs/01JZ0000000000000000R00000", "/events/x", "/functions/none", "/runs/x/cancel"]
)
def test_what_does_not_exist_has_a_page_of_the_shell(seeded: Client, url: str) -> None:
    response = seeded.get(url)
    assert response.status_code == 404
    assert "There is nothing here" in text(response)
    assert 'aria-label="Pages"' in text(response)


def test_the_root_leads_to_the_runs(site: Client) -> None:
    response = site.get("/")
    assert (response.status_code, response["Location"]) == (302, "/runs")


@pytest.mark.parametrize("url", ["/runs", "/events", "/functions", "/apps"])
def test_pages_hold_no_inline_code_and_load_nothing_from_elsewhere(seeded: Client, url: str) -> None:
    html = text(seeded.get(url))
    assert " style=" not in html
    assert "<style" not in html
    assert "onclick" not in html
    assert html.count("<script") == html.count("<script src=")
    assert 'src="http' not in html
    assert "url(http" not in html


@pytest.mark.parametrize(
    ("url", "queries"),
    [
        ("/runs", 6),
        ("/runs?status=failed&status=queued&function=shop-fulfil-order&app=shop", 8),
        (f"/runs/{ids.COMPLETED_RUN}", 9),
        (f"/runs/{ids.COMPLETED_RUN}?open=~{'0' * 40}", 9),
        (f"/runs/{ids.LOOP_RUN}", 8),
        ("/events", 6),
        (f"/events/{ids.BUSY_EVENT}", 8),
        ("/functions", 2),
        ("/functions/shop-fulfil-order", 5),
        ("/apps", 5),
        ("/nope", 1),
    ],
)
def test_pages_ask_the_database_a_fixed_number_of_times(
    seeded: Client, django_assert_num_queries: DjangoAssertNumQueries, url: str, queries: int
) -> None:
    with django_assert_num_queries(queries):
        seeded.get(url)


def test_forms_need_their_token(seeded: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    for url in ("/events/send", f"/runs/{ids.RUNNING_RUN}/cancel", f"/apps/{ids.SHOP}/sync"):
        assert strict.post(url, {"body": "{}"}).status_code == 403
