import re

import pytest
from django.test import Client

from tests.browser import seed_ids as ids
from tests.browser.seed_history import step_key
from tests.integration.dashboard.pages import fragment, link, row_ids, text


def test_an_empty_list_shows_what_to_do(site: Client) -> None:
    html = text(site.get("/runs"))
    assert "No runs yet" in html
    assert "INNGEST_DEV=http://testserver node server.mjs" in html
    assert "INNGEST_DEV=http://testserver uvicorn main:app" in html
    assert "curl http://testserver/e/dev -d " in html


def test_filters_that_match_nothing_offer_a_way_back(site: Client) -> None:
    html = text(site.get("/runs?status=failed"))
    assert "No runs match these filters" in html
    assert "No runs yet" not in html


def test_runs_are_listed_newest_first(seeded: Client) -> None:
    rows = row_ids(seeded.get("/runs"))
    assert len(rows) == 50
    assert rows[:4] == [
        f"run-{run}" for run in (ids.QUEUED_RUN, ids.RUNNING_RUN, ids.BATCH_RUN, ids.LONG_RUN)
    ]


def test_pages_cover_all_runs_without_gap_or_repetition_and_lead_back(seeded: Client) -> None:
    pages, url = [], "/runs"
    while url:
        response = seeded.get(url)
        pages.append(row_ids(response))
        url = link(response, "next")
    every = [row for page in pages for row in page]
    assert [len(page) for page in pages] == [50, 50, 9]
    assert len(set(every)) == 109
    back = link(response, "prev")
    assert row_ids(seeded.get(back)) == pages[1]
    assert row_ids(seeded.get(link(seeded.get(back), "prev"))) == pages[0]


def test_several_statuses_are_merged_in_order_over_pages(seeded: Client) -> None:
    first = seeded.get("/runs?status=failed&status=completed")
    second = seeded.get(link(first, "next"))
    numbers = [int(row[-5:]) for row in row_ids(first) + row_ids(second)]
    ordinary = [number for number in numbers if number <= 100]
    assert ordinary == sorted(ordinary, reverse=True)
    assert row_ids(seeded.get(link(second, "prev"))) == row_ids(first)
    assert f"run-{ids.RUNNING_RUN}" not in row_ids(first)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=running", [ids.RUNNING_RUN]),
        ("status=queued&status=running", [ids.QUEUED_RUN, ids.RUNNING_RUN]),
        ("status=skipped&app=billing-service", [ids.SKIPPED_RUN]),
        ("status=skipped&app=shop", []),
        ("function=billing-service-nightly-report", [ids.SKIPPED_RUN]),
        ("function=unknown", []),
        ("app=unknown", []),
        (
            "function=shop-fulfil-order&range=10m",
            [ids.RUNNING_RUN, ids.CANCELLED_RUN],
        ),
    ],
)
def test_filters_are_in_the_url(seeded: Client, query: str, expected: list[str]) -> None:
    assert row_ids(seeded.get(f"/runs?{query}")) == [f"run-{run}" for run in expected]


def test_a_filter_puts_its_clean_url_into_the_address_bar(seeded: Client) -> None:
    url = "/runs?status=failed&function=&app=&range="
    assert fragment(seeded, url, "runs-list", "run-filters")["HX-Push-Url"] == "/runs?status=failed"
    assert "HX-Push-Url" not in fragment(seeded, url, "runs-list")


def test_odd_cursors_show_the_first_page(seeded: Client) -> None:
    assert row_ids(seeded.get("/runs?before=nonsense")) == row_ids(seeded.get("/runs"))


def test_the_list_is_live(seeded: Client) -> None:
    assert f'data-live-topic="runs.{ids.ENV_ID}" data-live-rows' in text(seeded.get("/runs"))
    second = seeded.get(link(seeded.get("/runs"), "next"))
    assert "data-live-rows" not in text(second)


def test_a_run_shows_its_steps_events_and_output(seeded: Client) -> None:
    html = text(seeded.get(f"/runs/{ids.COMPLETED_RUN}"))
    names = re.findall(r'<span class="ellipsis">([^<]+)</span>', html)
    assert names == [
        "Fulfil order",
        "reserve-stock",
        "make-invoice",
        "Attempt 1",
        "Attempt 2",
        "wait-for-payment",
        "cool-off",
        "pack-parcel",
        "notify-customer",
        "charge-card",
        "Finalization",
    ]
    assert "INV-A-1042" in html
    assert f"/events/{ids.COMPLETED_EVENT}" in html
    assert "data-live-topic" not in html
    assert "/cancel" not in html


def test_payloads_of_steps_come_only_with_their_opened_rows(seeded: Client) -> None:
    url = f"/runs/{ids.COMPLETED_RUN}"
    key = f"~{step_key('reserve-stock')}"
    closed, opened = seeded.get(url), seeded.get(f"{url}?open={key}")
    assert "ZRH-2" not in text(closed)
    assert f'href="{url}?open=%7E{key[1:]}"'.replace("%7E", "~") in text(closed)
    assert "ZRH-2" in text(opened)
    assert f'id="row-{key}-link" href="{url}" aria-expanded="true"' in text(opened)
    assert text(fragment(seeded, f"{url}?open={key}", "run-timeline")).count("ZRH-2") == 1


def test_several_rows_can_be_open_and_attempts_show_their_own_errors(seeded: Client) -> None:
    step = step_key("make-invoice")
    html = text(seeded.get(f"/runs/{ids.COMPLETED_RUN}?open=~{step}&open=0~{step}"))
    assert "The invoice service did not answer" in html
    assert "INV-A-1042" in html
    opened = re.findall(r'<a [^>]*aria-expanded="true"', html)
    assert len(opened) == 2
    assert f'href="/runs/{ids.COMPLETED_RUN}?open=~{step}" aria-expanded="true"' in html


def test_waits_and_invokes_link_to_what_they_are_about(seeded: Client) -> None:
    opened = "&".join(f"open=~{step_key(name)}" for name in ("wait-for-payment", "charge-card"))
    html = text(seeded.get(f"/runs/{ids.COMPLETED_RUN}?{opened}"))
    assert "async.data.orderId == event.data.orderId" in html
    assert f'href="/events/{ids.event_id(40)}"' in html
    assert f'href="/runs/{ids.run_id(41)}"' in html


def test_a_failed_run_says_why(seeded: Client) -> None:
    html = text(seeded.get(f"/runs/{ids.FAILED_RUN}"))
    assert "Failed in step charge-card after 4 attempts." in html
    assert "CardDeclinedError" in html
    assert "402 Payment Required" in html
    assert "chargeCard (/srv/shop/src/payments/charge.ts:48:11)" in html
    assert "This run returned nothing" not in html


def test_skipped_and_cancelled_runs_say_why(seeded: Client) -> None:
    skipped = text(seeded.get(f"/runs/{ids.SKIPPED_RUN}"))
    assert "Skipped: another run was in progress." in skipped
    assert "not yet" not in skipped
    assert f'href="/runs/{ids.COMPLETED_RUN}"' in skipped
    assert "Cancelled: by the event" in text(seeded.get(f"/runs/{ids.CANCELLED_RUN}"))


def test_the_list_says_why_a_run_was_skipped(seeded: Client) -> None:
    html = text(seeded.get("/runs?status=skipped"))
    assert 'title="Skipped: another run was in progress">Already in progress</span>' in html
    assert row_ids(seeded.get("/runs?status=skipped")) == [f"run-{ids.SKIPPED_RUN}"]


def test_flow_control_of_a_run(seeded: Client) -> None:
    html = text(seeded.get(f"/runs/{ids.BATCH_RUN}"))
    assert "<dt>Priority</dt><dd>1 m 30 s back</dd>" in html
    assert "<dt>Batch key</dt>" in html
    assert '<span class="mono small">garden-tools</span>' in html
    assert "could not be evaluated" not in html
    assert "Flow control" not in text(seeded.get(f"/runs/{ids.FAILED_RUN}"))


def test_key_that_cannot_be_evaluated_is_a_warning(seeded: Client) -> None:
    html = text(seeded.get(f"/runs/{ids.SKIPPED_RUN}"))
    assert "An expression could not be evaluated for this run" in html
    assert "concurrency key event.data.account.id: cannot be evaluated" in html
    assert "<dt>Singleton key</dt>" in html
    assert "<dt>Priority</dt>" not in html


def test_a_batch_shows_its_first_events(seeded: Client) -> None:
    html = text(seeded.get(f"/runs/{ids.BATCH_RUN}"))
    assert html.count('class="code" id="trigger-') == 10
    assert "The batch holds more events; the first 10 are shown." in html


def test_live_updates_leave_the_trigger_events_out(seeded: Client) -> None:
    part = text(fragment(seeded, f"/runs/{ids.RUNNING_RUN}", "run"))
    assert f'data-live-topic="run.{ids.RUNNING_RUN}"' in part
    assert "cus_9fKq2" not in part
    assert f'id="run-trigger" data-digest="trigger-{ids.RUNNING_RUN}"' in part


def test_a_long_timeline_is_cut_until_all_is_asked_for(seeded: Client) -> None:
    url = f"/runs/{ids.LOOP_RUN}"
    short, whole = text(seeded.get(url)), text(seeded.get(f"{url}?all=1"))
    assert "40 earlier rows are not shown." in short
    assert (short.count('class="timeline-row"'), whole.count('class="timeline-row"')) == (301, 341)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("part=output", '{"imported":12}'),
    ],
)
def test_payloads_can_be_downloaded(seeded: Client, query: str, body: str) -> None:
    response = seeded.get(f"/runs/{ids.BATCH_RUN}/payload?{query}")
    assert text(response) == body
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == f'attachment; filename="{ids.BATCH_RUN}-output.json"'


def test_payloads_of_attempts_can_be_downloaded(seeded: Client) -> None:
    step = step_key("make-invoice")
    url = f"/runs/{ids.COMPLETED_RUN}/payload?step={step}"
    assert "did not answer" in text(seeded.get(f"{url}&attempt=0&part=error"))
    assert text(seeded.get(f"{url}&attempt=1&part=output")) == '{"invoice": "INV-A-1042", "pages": 2}'
    for query in ("&attempt=7&part=output", "&attempt=x", "&attempt=0&part=secrets", "&attempt=0&part=input"):
        assert seeded.get(url + query).status_code == 404
