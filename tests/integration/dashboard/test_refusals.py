"""The panel of refused requests on the events page."""

import html
import re

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from apps.dashboard.selectors.refusals import refusals
from apps.tenancy.models import DEV_ENVIRONMENT_ID
from tests.browser import seed_history, seed_refusals, seed_registry
from tests.conftest import free_port
from tests.integration.dashboard.pages import Answer, fragment, text


@pytest.fixture
def refused(site: Client) -> Client:
    seed_registry.write()
    seed_refusals.write()
    return site


def cells(response: Answer) -> list[list[str]]:
    """The words of each row, cell by cell, without the time."""
    rows = re.findall(r'<tr id="refusal-[0-9a-f]{16}">(.*?)</tr>', text(response), re.DOTALL)
    found = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)[:-1] for row in rows]
    return [[html.unescape(re.sub(r"<[^>]+>", " ", cell)).strip() for cell in row] for row in found]


def test_each_row_says_reason_request_status_and_count(refused: Client) -> None:
    rows = [[" ".join(cell.split()) for cell in row] for row in cells(refused.get("/events?refused=1"))]
    assert rows == [
        ["Event key not found Event API, key ends in k3Yz", "POST /e/…", "401", "1,204,331"],
        ["Invalid event: Expected `str | null`, got `int` - at `$.name` Event API", "POST /e/…", "400", "17"],
        ["Timestamp is before Jan 1, 1980 Invoke", "POST /invoke/shop-fulfil-order", "400", "1"],
        ["Invalid invocation event Invoke", f"POST /invoke/{seed_refusals.LONG_SLUG}", "400", "41"],
        ["Authentication failed Sync, key ends in 91ab", "POST /fn/register", "401", "3"],
        ["Invalid request body SDK", "POST /v1/checkpoint/…/async", "400", "5"],
    ]


def test_rows_lead_to_what_the_request_was_about(refused: Client) -> None:
    page = text(refused.get("/events"))
    links = re.findall(r'id="refusal-[0-9a-f]{16}-link" href="([^"]+)"', page)
    assert links == ["/functions/shop-fulfil-order", "/apps"]


def test_without_refusals_nothing_is_shown(site: Client) -> None:
    page = text(site.get("/events"))
    assert "Refused requests" not in page
    assert 'id="refused-requests" data-controller="live" data-live-every="5000" hidden>' in page


def test_it_is_closed_beside_events_and_open_where_there_are_none_or_when_asked(refused: Client) -> None:
    closed, opened = 'id="refused" data-keeps>', 'id="refused" data-keeps open>'
    assert opened in text(refused.get("/events"))
    assert closed in text(refused.get("/events?name=none"))
    seed_history.write_full()
    assert closed in text(refused.get("/events"))
    assert opened in text(refused.get("/events?refused=1"))


def test_filters_keep_it_open(refused: Client) -> None:
    assert '<input type="hidden" name="refused" value="1">' in text(refused.get("/events?refused=1"))
    answer = fragment(refused, "/events?name=shop&refused=1", "events-list", "event-filters")
    assert answer["HX-Push-Url"] == "/events?name=shop&refused=1"
    assert "Refused requests" not in text(answer)


def test_it_is_a_fragment_of_its_own(refused: Client) -> None:
    part = text(fragment(refused, "/events?refused=1", "refused-requests"))
    assert part.startswith('<div id="refused-requests"')
    assert part.count('<tr id="refusal-') == 6
    assert "event-filters" not in part


@pytest.mark.usefixtures("refused")
def test_another_environment_sees_neither_these_nor_those_of_unknown_callers() -> None:
    import uuid

    (only,) = refusals(uuid.UUID(seed_refusals.OTHER_ENVIRONMENT))
    assert (only.refusal.reason, only.count) == ("event name is empty", 9)
    assert refusals(uuid.uuid4()) == []
    assert len(refusals(DEV_ENVIRONMENT_ID)) == 6


def test_without_redis_the_page_is_there_all_the_same(refused: Client, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    answer = refused.get("/events")
    assert answer.status_code == 200
    assert "Refused requests" not in text(answer)
