import re
from html import unescape

from django.test import Client

from apps.events.models import Event, EventOutcome
from apps.tenancy.models import DEV_ACCOUNT_ID, DEV_ENVIRONMENT_ID
from tests.browser import seed_ids as ids
from tests.integration.dashboard.pages import fragment, link, row_ids, text


def test_an_empty_list_shows_how_to_send_one(site: Client) -> None:
    assert "curl http://testserver/e/dev" in text(site.get("/events"))


def test_events_say_what_became_of_them(seeded: Client) -> None:
    html = text(seeded.get("/events"))
    assert "Matched nothing" in html
    assert "Waiting to be handled" in html
    assert "1 resumed, 1 cancelled, 1 skipped, 1 failed to match" in html


def test_event_pages_lead_both_ways(seeded: Client) -> None:
    first = seeded.get("/events")
    second = seeded.get(link(first, "next"))
    assert not set(row_ids(first)) & set(row_ids(second))
    assert row_ids(seeded.get(link(second, "prev"))) == row_ids(first)


def test_events_are_found_by_the_beginning_of_their_name(seeded: Client) -> None:
    assert len(row_ids(seeded.get("/events?name=shop/news"))) == 1
    assert len(row_ids(seeded.get("/events?name=shop/news*"))) == 1
    assert row_ids(seeded.get("/events?name=newsletter")) == []
    assert "No events match these filters" in text(seeded.get("/events?name=newsletter"))


def test_an_event_page_lists_every_decision(seeded: Client) -> None:
    html = text(seeded.get(f"/events/{ids.BUSY_EVENT}"))
    for badge in ("Completed", "Queued", "Resumed", "Cancelled", "Rate limited", "Expression failed"):
        assert f"</svg>{badge}</span>" in html
    assert "no such overload: string &gt; int" in html
    assert f"/runs/{ids.BATCH_RUN}" in html


IN_TIME = "or its time is up."
LATEST = "the latest of them starts one run."
DROPPED = "idempotency key: dropped without a run."
FIRST_ONE = "24 hours. The run of the first one"


def test_an_invoke_without_a_function_says_so(seeded: Client) -> None:
    outcome = EventOutcome.objects.get(internal_id=ids.HELD_EVENT)
    outcome.run_ids, outcome.skipped = "[]", '[["", "FunctionNotFound", ""]]'
    outcome.save()
    (entry,) = outcome_entries(text(seeded.get(f"/events/{ids.HELD_EVENT}")))
    assert entry == (
        "Not found Unknown function "
        "There is no such function: it has gone since, or was invoked by a wrong id."
    )


def outcome_entries(html: str) -> list[str]:
    """The words of each entry of an outcome, its badge first."""
    found = re.search(r'<ul class="outcome">(.*?)</ul>', html, re.DOTALL)
    assert found
    entries = [re.sub(r"<[^>]+>", " ", entry) for entry in found.group(1).split("</li>")[:-1]]
    return [" ".join(unescape(entry).split()) for entry in entries]


def test_an_event_page_tells_what_flow_control_did(seeded: Client) -> None:
    """Of the function whose batch has started there is only the run."""
    html = text(seeded.get(f"/events/{ids.HELD_EVENT}"))
    entries = outcome_entries(html)
    started, told = entries[0], entries[1:]
    assert started.startswith(
        "Completed Import products Started by the batch that this event was collected into."
    )
    skipped_run = "The skipped run"
    assert told == [
        " ".join(parts)
        for parts in (
            ("Batched Charge card", "Collected into a batch, which starts one run when it is full", IN_TIME),
            (f"Debounced {ids.LONG_NAME}", "Held back by the debounce: once no more events come,", LATEST),
            ("Rate limited Charge card", "Over the function's rate limit, or a repetition of its", DROPPED),
            ("Duplicate Fulfil order", "Dropped: an event with the same id came within the last", FIRST_ONE),
            ("Skipped Nightly report", "Skipped: another run was in progress.", skipped_run),
            ("Skipped Nightly report", "Skipped: the function was paused.", skipped_run),
            ("Skipped Nightly report", "Skipped: the function was being drained.", skipped_run),
        )
    ]
    assert html.count(f'<a href="/runs/{ids.SKIPPED_RUN}">The skipped run</a>') == 3
    assert f'<a href="/runs/{ids.COMPLETED_RUN}">The run of the first one</a>' in html


def test_an_event_that_matched_nothing_says_so(seeded: Client) -> None:
    assert "Matched nothing." in text(fragment(seeded, f"/events/{ids.LONELY_EVENT}", "event-outcome"))


def test_an_event_that_is_not_handled_yet_is_asked_about_again(seeded: Client) -> None:
    part = text(fragment(seeded, f"/events/{ids.event_id(90006)}", "event-outcome"))
    assert "waiting to be handled" in part
    assert 'data-live-every="2000"' in part


def test_an_event_can_be_downloaded(seeded: Client) -> None:
    response = seeded.get(f"/events/{ids.LONELY_EVENT}/payload")
    assert b'"data": {"campaign": "spring"}' in response.content
    assert response["Content-Disposition"] == f'attachment; filename="{ids.LONELY_EVENT}.json"'


def make_events(names: list[str]) -> None:
    for number, name in enumerate(names):
        internal_id = f"01M8{number:022d}"
        Event.objects.create(
            key=f"0:{number}-0",
            environment_id=DEV_ENVIRONMENT_ID,
            account_id=DEV_ACCOUNT_ID,
            internal_id=internal_id,
            external_id=internal_id,
            name=name,
            ts=number,
            received_at=number,
            is_internal=False,
            source="api",
        )


def test_the_events_of_several_names_are_one_list(site: Client) -> None:
    make_events([f"app/{'ab'[number % 2]}" for number in range(120)] + ["other"])
    first = site.get("/events?name=app/")
    assert row_ids(first) == [f"event-0:{number}-0" for number in range(119, 69, -1)]
    second = site.get(link(first, "next"))
    assert row_ids(second) == [f"event-0:{number}-0" for number in range(69, 19, -1)]
    assert row_ids(site.get(link(second, "prev"))) == row_ids(first)


def test_a_beginning_of_many_names_says_that_it_is_cut(site: Client) -> None:
    make_events([f"app/{number:03}" for number in range(30)])
    page = site.get("/events?name=app/")
    assert len(row_ids(page)) == 25
    assert "type more of the name" in text(page)
    assert "type more of the name" not in text(site.get("/events?name=app/01"))
