"""Selectors: pages without gaps, payloads apart, nothing of another environment."""

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from apps.engine.records import EventHandled, RunEnded, RunStarted
from apps.events import selectors as events
from apps.runs import selectors
from apps.runs.choices import RunStatus
from apps.runs.cursors import BadCursor
from apps.runs.models import Run
from apps.runs.selectors import RunFilter, TimeField
from tests.integration.history.life import (
    APP,
    ENV,
    EVENT,
    FUNCTION,
    LIFE,
    RUN,
    STREAM_ID,
    event,
    scheduled,
)
from tests.integration.history.seed import ENVIRONMENT, STRANGER, write, write_event

pytestmark = pytest.mark.django_db

AT = 1795439221223


def run_id(number: int) -> str:
    return f"01M8488PZN38TBQW5R170F{number:04d}"


def event_id(number: int) -> str:
    return f"01M8488PSWMZBJ8765PVQP{number:04d}"


def pages(where: RunFilter, limit: int) -> list[list[str]]:
    found, cursor = [], None
    while True:
        page = selectors.run_list(ENVIRONMENT, where, limit=limit, cursor=cursor)
        found.append([run.run_id for run in page.runs])
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_runs_are_listed_newest_first_page_by_page() -> None:
    write(*(scheduled(run_id(number), queued_at=1000 + number // 2) for number in range(5)))
    expected = [[run_id(4), run_id(3)], [run_id(2), run_id(1)], [run_id(0)]]
    assert pages(RunFilter(), 2) == expected
    assert pages(RunFilter(), 5) == [[run_id(number) for number in (4, 3, 2, 1, 0)]]


def test_runs_are_filtered() -> None:
    other = "90c1bf36-93fe-5e87-b761-a83064f42800"
    write(scheduled(run_id(1)), scheduled(run_id(2), function_id=other), scheduled(run_id(3), app_id=other))
    write(RunStarted(run_id(1), 5000), RunEnded(run_id(1), "Failed", 6000), RunStarted(run_id(2), 5500))

    def listed(where: RunFilter) -> set[str]:
        return {run.run_id for run in selectors.run_list(ENVIRONMENT, where, limit=9).runs}

    stored = {run.run_id: run for run in selectors.run_list(ENVIRONMENT, RunFilter(), limit=9).runs}
    assert listed(RunFilter(statuses=[RunStatus.FAILED, RunStatus.RUNNING])) == {run_id(1), run_id(2)}
    assert listed(RunFilter(function_ids=[stored[run_id(2)].function_id])) == {run_id(2)}
    assert listed(RunFilter(app_ids=[stored[run_id(3)].app_id])) == {run_id(3)}
    assert listed(RunFilter(time_field=TimeField.STARTED_AT)) == {run_id(1), run_id(2)}
    assert listed(RunFilter(time_field=TimeField.STARTED_AT, time_from=5001)) == {run_id(2)}
    assert listed(RunFilter(time_field=TimeField.ENDED_AT, time_until=6000)) == {run_id(1)}
    assert selectors.run_count(ENVIRONMENT, RunFilter()) == 3
    assert selectors.run_status_counts(ENVIRONMENT, RunFilter()) == {
        RunStatus.FAILED: 1,
        RunStatus.RUNNING: 1,
        RunStatus.SCHEDULED: 1,
    }


@pytest.mark.parametrize("cursor", ["", "!", "WzFd", "bnVsbA==", "WyJhIiwgImIiXQ=="])
def test_a_cursor_of_someone_else_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        selectors.run_list(ENVIRONMENT, RunFilter(), limit=1, cursor=cursor)


def test_lists_take_one_query_and_no_payload(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    write(*LIFE, *(scheduled(run_id(number)) for number in range(20)))
    with django_assert_num_queries(1) as queries:
        assert len(selectors.run_list(ENVIRONMENT, RunFilter(), limit=50).runs) == 21
    with django_assert_num_queries(1):
        assert [(step.step_id, step.attempt) for step in selectors.run_steps(ENVIRONMENT, RUN)] == [
            ("a", 0),
            ("a", 1),
            ("open", 0),
            ("w", 0),
        ]
    assert "payload" not in queries[0]["sql"]


def test_payloads_are_read_on_their_own() -> None:
    write(*LIFE)
    assert selectors.run_output(ENVIRONMENT, RUN) == '"done"'
    payload = selectors.step_payload(ENVIRONMENT, RUN, "a", 1)
    assert payload is not None
    assert (payload.output, payload.error, payload.input) == ('{"n": 1.50}', None, "[1]")
    assert selectors.step_payload(ENVIRONMENT, RUN, "w", 0) is None


def test_the_events_of_a_run_come_in_order(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    ids = [event_id(number) for number in (3, 1, 2)]
    write(scheduled(event_ids=ids))
    for number in (1, 2, 3):
        write_event(f"{AT}-{number}", event(internal_id=event_id(number)))
    with django_assert_num_queries(3):
        found = selectors.run_events(ENVIRONMENT, RUN)
    assert [item.event.internal_id for item in found] == ids
    assert found[0].body == event().body.decode()


def test_another_environment_sees_nothing() -> None:
    write(*LIFE)
    write_event(STREAM_ID, event())
    assert selectors.run_get(STRANGER, RUN) is None
    assert selectors.run_list(STRANGER, RunFilter(), limit=9).runs == []
    assert selectors.run_steps(STRANGER, RUN) == []
    assert selectors.run_output(STRANGER, RUN) is None
    assert selectors.step_payload(STRANGER, RUN, "a", 1) is None
    assert selectors.step_payloads(STRANGER, RUN) == {}
    assert selectors.run_events(STRANGER, RUN) == []
    assert selectors.runs_for_event(STRANGER, EVENT) == []
    assert events.event_get(STRANGER, EVENT) is None
    assert events.event_outcome(STRANGER, EVENT) is None
    assert events.event_bodies(STRANGER, [f"0:{STREAM_ID}"]) == {}
    assert events.event_list(STRANGER, events.EventFilter(), limit=9).events == []


def test_runs_of_an_event() -> None:
    write(*LIFE, scheduled(run_id(1)), scheduled(run_id(2), event_ids=["01OTHER"]))
    assert [run.run_id for run in selectors.runs_for_event(ENVIRONMENT, EVENT)] == sorted([RUN, run_id(1)])


def test_events_are_listed_newest_first_page_by_page() -> None:
    for number in range(5):
        write_event(f"{AT + number}-0", event(internal_id=event_id(number)))
    first = events.event_list(ENVIRONMENT, events.EventFilter(), limit=3)
    second = events.event_list(ENVIRONMENT, events.EventFilter(), limit=3, cursor=first.next_cursor)
    assert [item.internal_id for item in first.events] == [event_id(number) for number in (4, 3, 2)]
    assert [item.internal_id for item in second.events] == [event_id(1), event_id(0)]
    assert second.next_cursor is None


def test_events_are_filtered_by_name_and_reception() -> None:
    for number, name in enumerate(["a", "b", "a"]):
        write_event(f"{AT + number}-0", event(name, internal_id=event_id(number)))

    def listed(**where: object) -> list[str]:
        found = events.event_list(ENVIRONMENT, events.EventFilter(**where), limit=9).events  # type: ignore[arg-type]
        return [item.internal_id for item in found]

    assert listed(names=["a"]) == [event_id(2), event_id(0)]
    assert listed(received_from=AT + 1) == [event_id(2), event_id(1)]
    assert listed(received_until=AT) == [event_id(0)]


def test_internal_events_are_listed_as_asked() -> None:
    for number, name in enumerate(["demo/x", "inngest/function.finished", "inngest/function.failed"]):
        write_event(f"{AT}-{number}", event(name, internal_id=event_id(number)))
    write(EventHandled(ENV, event_id(1), f"{AT}-1", 5), EventHandled(ENV, event_id(2), f"{AT}-2", 5, [RUN]))

    def listed(internal: events.Internal) -> list[str]:
        found = events.event_list(ENVIRONMENT, events.EventFilter(internal=internal), limit=9).events
        return [item.name for item in found]

    assert listed(events.Internal.NONE) == ["demo/x"]
    assert listed(events.Internal.STARTING_RUNS) == ["inngest/function.failed", "demo/x"]
    assert len(listed(events.Internal.ALL)) == 3


def test_the_outcome_of_an_event() -> None:
    write_event(STREAM_ID, event())
    assert events.event_outcome(ENVIRONMENT, EVENT) is None
    write(*LIFE)
    outcome = events.event_outcome(ENVIRONMENT, EVENT)
    assert outcome == events.Outcome(1002, [RUN], [], [], [events.Skipped(FUNCTION, "Singleton", "busy")], [])
    write(EventHandled(ENV, EVENT, "1795439221224-0", 1003, [RUN, "01NEW"], resumed=["01WAITER"]))
    merged = events.event_outcome(ENVIRONMENT, EVENT)
    assert merged is not None
    assert (merged.run_ids, merged.resumed, merged.matched_nothing) == ([RUN, "01NEW"], ["01WAITER"], False)


def test_an_event_that_matched_nothing_has_an_outcome_too() -> None:
    write(EventHandled(ENV, EVENT, STREAM_ID, 7))
    outcome = events.event_outcome(ENVIRONMENT, EVENT)
    assert outcome is not None
    assert outcome.matched_nothing


def test_the_app_and_function_filters_have_an_index(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """Lists stay fast whatever the filter: the plan never sorts nor scans the table."""
    for where in ({"status": 300}, {"app_id": APP}, {"function_id": FUNCTION}, {}):
        rows = Run.objects.filter(environment_id=ENVIRONMENT, **where)
        plan = rows.order_by("-queued_at", "-run_id")[:20].explain()
        assert connection.vendor != "sqlite" or ("INDEX" in plan and "TEMP B-TREE" not in plan), plan
