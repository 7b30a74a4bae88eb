"""Concurrency as the app counts it: as many calls at once as the limit, never more (spec 02, chapter 3)."""

from tests.e2e.flow_control.flow_app import FlowApp
from tests.e2e.harness import Json


def by_user(flight: Json) -> object:
    return flight["user"]


def test_plain_limit(app: FlowApp, key: str) -> None:
    app.finish(app.send_many("plain", key, [{"n": n, "ms": 120} for n in range(8)]))
    assert len(app.calls(key)) == 8
    assert app.most_in_flight(key) == {None: 2}


def test_keyed_limit_counts_each_value(app: FlowApp, key: str) -> None:
    """The first call of each user is held until both are under way: the users do not wait for one another."""
    entries = [{"n": n, "user": user, "hold": True, "ms": 40} for n in range(3) for user in ("ann", "bob")]
    events = app.send_many("per-user", key, [{**e, "user": f"{key}-{e['user']}"} for e in entries])
    app.wait_for(key, count=2)
    app.release(key)
    app.finish(events)
    assert app.most_in_flight(key, by_user) == {f"{key}-ann": 1, f"{key}-bob": 1}
    assert app.most_in_flight(key) == {None: 2}
    for user in ("ann", "bob"):
        assert [call["n"] for call in app.calls(key) if call["user"] == f"{key}-{user}"] == [0, 1, 2]


def test_events_without_the_field_share_one_slot(app: FlowApp, key: str) -> None:
    app.finish(app.send_many("per-user", key, [{"n": n, "ms": 60} for n in range(4)]))
    assert app.most_in_flight(key) == {None: 1}


def test_number_and_its_text_are_one_key(app: FlowApp, key: str) -> None:
    number = int(key[:8], 16)
    app.finish(
        app.send_many(
            "per-user", key, [{"n": n, "user": u, "ms": 60} for n, u in enumerate([number, str(number)])]
        )
    )
    assert app.most_in_flight(key) == {None: 1}


def test_functions_share_a_key_of_the_environment(app: FlowApp, key: str) -> None:
    events = []
    for n in range(4):
        events += [app.send("env-one", key, n=n, ms=120), app.send("env-two", key, n=n, ms=120)]
    app.finish(events)
    assert len(app.calls(key)) == 8
    assert app.most_in_flight(key) == {None: 2}


def test_each_function_holds_its_own_limit_against_the_shared_count(app: FlowApp, key: str) -> None:
    """While a call of the wide function (limit 2) runs, the narrow one (limit 1) may not begin."""
    wide = [app.send("account-wide", key, n=1, hold=True)]
    app.wait_for(key)
    narrow = app.send("account-narrow", key, n=2)
    app.wait_until_queued(narrow)
    wide.append(app.send("account-wide", key, n=3, hold=True))
    app.wait_for(key, count=2)
    app.release(key)
    app.finish([*wide, narrow])
    assert app.numbers(key) == [1, 3, 2]
    assert app.most_in_flight(key) == {None: 2}
    under_way = 0
    for flight in app.flights(key):
        under_way += flight["change"]
        if flight["function"] == "account-narrow" and flight["change"] == 1:
            assert under_way == 1


def test_two_entries_must_both_have_room(app: FlowApp, key: str) -> None:
    users = [f"{key}-{letter}" for letter in "abcd"]
    entries = [{"n": n, "user": user, "hold": True, "ms": 60} for n in range(2) for user in users]
    events = app.send_many("two-entries", key, entries)
    app.wait_for(key, count=3)
    app.release(key)
    app.finish(events)
    assert app.most_in_flight(key) == {None: 3}
    assert app.most_in_flight(key, by_user) == dict.fromkeys(users, 1)


def test_free_slot_of_the_function_does_not_help_a_busy_key(app: FlowApp, key: str) -> None:
    entries = [{"n": n, "user": f"{key}-{user}", "hold": True, "ms": 60} for n, user in enumerate("aab")]
    events = app.send_many("two-entries", key, entries)
    app.wait_for(key, count=2)
    app.release(key)
    app.finish(events)
    assert app.most_in_flight(key, by_user) == {f"{key}-a": 1, f"{key}-b": 1}
    assert app.numbers(key)[2] == 1


def test_runs_in_progress_count_while_they_sleep(typescript_app: FlowApp, key: str) -> None:
    """`concurrency.fn` of 1: a run starts when the one before it has ended. The Python SDK registers
    lists of limits only, and cannot express it."""
    app = typescript_app
    app.finish(app.send_many("in-progress", key, [{"n": n, "seconds": 1} for n in range(3)]))
    labels = list(dict.fromkeys((call["label"], call["n"]) for call in app.process.calls(key)))
    assert labels == [(label, n) for n in range(3) for label in ("asleep", "awake")]


def test_sleeping_run_holds_no_slot(app: FlowApp, key: str) -> None:
    app.finish(app.send_many("naps", key, [{"n": n, "seconds": 2} for n in range(3)]))
    labels = [(call["label"], call["n"]) for call in app.process.calls(key)]
    first_awake = next(place for place, (label, _) in enumerate(labels) if label == "awake")
    assert {n for _, n in labels[:first_awake]} == {0, 1, 2}
    assert sorted(app.numbers(key, "awake")) == [0, 1, 2]
    assert app.most_in_flight(key) == {None: 1}
