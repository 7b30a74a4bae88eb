"""From a run to the ones beside it in the list that the person came from."""

import re
from itertools import pairwise

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.browser import seed_ids as ids
from tests.integration.dashboard.pages import link, row_ids, text


def run_links(client: Client, url: str) -> list[str]:
    return [
        found.replace("&amp;", "&") for found in re.findall(r'href="(/runs/01[^"]+)"', text(client.get(url)))
    ]


def beside(client: Client, run_id: str, to: str, query: str = "") -> str:
    response = client.get(f"/runs/{run_id}/beside", {"to": to, "list": query})
    assert response.status_code == 302
    return response["Location"]


def test_rows_of_a_filtered_list_carry_its_query(seeded: Client) -> None:
    assert run_links(seeded, "/runs?status=failed&status=skipped&range=1h")[:2] == [
        f"/runs/{ids.SKIPPED_RUN}?list=status%3Dfailed%26status%3Dskipped%26range%3D1h",
        f"/runs/{ids.FAILED_RUN}?list=status%3Dfailed%26status%3Dskipped%26range%3D1h",
    ]
    assert run_links(seeded, "/runs")[0] == f"/runs/{ids.QUEUED_RUN}"
    assert run_links(seeded, "/functions/shop-fulfil-order")[0] == (
        f"/runs/{ids.RUNNING_RUN}?list=function%3Dshop-fulfil-order"
    )


def test_the_run_leads_back_to_its_list_and_to_its_neighbours(seeded: Client) -> None:
    url = f"/runs/{ids.FAILED_RUN}?list=status%3Dfailed%26status%3Dskipped"
    html = text(seeded.get(url)).replace("&amp;", "&")
    assert '<a href="/runs?status=failed&status=skipped">Runs</a>' in html
    for to in ("newer", "older"):
        where = f"/runs/{ids.FAILED_RUN}/beside?to={to}&list=status%3Dfailed%26status%3Dskipped"
        assert f'href="{where}" data-beside="{to}"' in html
    step = re.search(r'hx-get="([^"]+)"', html)
    assert step is not None
    assert step.group(1).endswith("&list=status%3Dfailed%26status%3Dskipped")


@pytest.mark.parametrize(
    "query", ["", "status=failed&status=cancelled&status=skipped", "function=shop-fulfil-order"]
)
def test_walking_down_and_up_follows_the_list(seeded: Client, query: str) -> None:
    first = seeded.get(f"/runs?{query}")
    rows = [
        row.removeprefix("run-")
        for row in row_ids(first) + row_ids(seeded.get(link(first, "next") or "/none"))
    ]
    suffix = "?list=" + query.replace("=", "%3D").replace("&", "%26") if query else ""
    for above, below in pairwise(rows):
        assert beside(seeded, above, "older", query) == f"/runs/{below}{suffix}"
        assert beside(seeded, below, "newer", query) == f"/runs/{above}{suffix}"


def test_at_the_ends_one_stays_and_is_told(seeded: Client) -> None:
    response = seeded.get(f"/runs/{ids.QUEUED_RUN}/beside?to=newer")
    assert response["Location"] == f"/runs/{ids.QUEUED_RUN}"
    assert [str(note) for note in get_messages(response.wsgi_request)] == [
        "This is the first run of the list."
    ]
    response = seeded.get(f"/runs/{ids.RUNNING_RUN}/beside?to=older&list=status%3Drunning")
    assert response["Location"] == f"/runs/{ids.RUNNING_RUN}?list=status%3Drunning"


def test_a_query_that_is_none_counts_as_all_runs(seeded: Client) -> None:
    assert (
        beside(seeded, ids.RUNNING_RUN, "newer", "//evil.example/?x=1&status=what")
        == f"/runs/{ids.QUEUED_RUN}"
    )


def test_a_run_of_elsewhere_is_not_found(seeded: Client) -> None:
    assert seeded.get("/runs/01JZ000000000000000R99999/beside?to=older").status_code == 404


def test_one_row_is_read_for_each_status(seeded: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        beside(seeded, ids.FAILED_RUN, "older", "status=skipped&status=completed")
    steps = [query["sql"] for query in queries if '"queued_at" <= ' in query["sql"]]
    assert len(steps) == 2
    assert all(sql.endswith("LIMIT 1") for sql in steps)
