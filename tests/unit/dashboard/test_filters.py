from django.http import QueryDict

from apps.dashboard.pages.filters import event_filters, run_filters
from apps.engine import clock
from apps.runs.choices import RunStatus


def test_filters_come_from_the_url_and_go_back_into_it() -> None:
    filters = run_filters(QueryDict("status=failed&status=queued&function=shop-a&app=shop&range=1h"))
    assert filters.status_codes() == [RunStatus.SCHEDULED, RunStatus.FAILED, RunStatus.OVERFLOWED]
    assert filters.query() == {
        "status": ["queued", "failed"],
        "function": "shop-a",
        "app": "shop",
        "range": "1h",
    }
    assert filters.is_active


def test_unknown_values_are_ignored() -> None:
    filters = run_filters(QueryDict("status=nope&range=9y&unknown=1"))
    assert (filters.statuses, filters.range, filters.query(), filters.is_active) == ((), "", {}, False)
    assert filters.since_ms() is None


def test_a_range_ends_now() -> None:
    clock.set_time_source(lambda: 10_000.0)
    try:
        assert run_filters(QueryDict("range=10m")).since_ms() == 9_400_000
    finally:
        clock.set_time_source(None)


def test_events_are_filtered_by_name_range_and_origin() -> None:
    filters = event_filters(QueryDict("name= shop/ &internal=1&range=24h"))
    assert (filters.name, filters.range, filters.shows_internal) == ("shop/", "24h", True)
    assert filters.query() == {"name": "shop/", "range": "24h", "internal": "1"}
    assert event_filters(QueryDict("internal=0")).query() == {}
