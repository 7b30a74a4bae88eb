"""The checker itself: a clean story passes, and each broken promise is found by the check that is for it."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest

from tests.chaos import checker
from tests.chaos.records import Answer, Call
from tests.chaos.story import Accepted, RunRow, Story

_RUN = "run-1"
Edit = Callable[[Story], Story]


def call(number: int, memos: dict[str, int], function: str = "limited", **changes: Any) -> Call:
    """Call `number` comes in second `number`, for an item of its own."""
    made = Call(number, float(number), function, _RUN, 7, "", f"item-{number}", 1, 0, memos)
    return msgspec.structs.replace(made, **changes)


def answer(number: int, kind: str = "run", step: str = "", at: float | None = None) -> Answer:
    return Answer(number, number + 0.5 if at is None else at, kind, step)


def story(calls: Iterable[Call], answers: Iterable[Answer], **parts: Any) -> Story:
    return Story(list(calls), {each.number: each for each in answers}, [], [])._replace(**parts)


def run(**changes: Any) -> RunRow:
    output = {"n": 7, "steps": {"one": 1, "two": 2}}
    return RunRow(_RUN, "limited", "Completed", "event-1", output, 0.5, 1.0, 3.5)._replace(**changes)


def clean(**parts: Any) -> Story:
    """One run of the limited function: two steps, each executed once, and the end."""
    calls = [call(1, {}), call(2, {"one": 1}), call(3, {"one": 1, "two": 2})]
    answers = [answer(1, step="one"), answer(2, step="two"), answer(3, "end")]
    accepted = [Accepted("event-1", "chaos/limited", 7, 0.4)]
    return story(calls, answers, accepted=accepted, runs=[run()])._replace(**parts)


def with_call(*extra: Call, answers: Iterable[Answer] = ()) -> Story:
    base = clean()
    found = {**base.answers, **{each.number: each for each in answers}}
    return base._replace(calls=[*base.calls, *extra], answers=found)


def test_a_clean_story_breaks_nothing() -> None:
    assert checker.broken_promises(clean()) == []
    assert list(checker.executed_twice(clean())) == []


def test_a_call_repeated_before_its_result_was_acknowledged_breaks_nothing() -> None:
    calls = [call(1, {}), call(2, {}), call(3, {"one": 2}), call(4, {"one": 2, "two": 3})]
    answers = [answer(1, step="one"), answer(2, step="one"), answer(3, step="two"), answer(4, "end")]
    runs = [run(output={"n": 7, "steps": {"one": 2, "two": 3}}, ended_at=4.5)]
    repeated = clean(calls=calls, answers={each.number: each for each in answers}, runs=runs)
    assert checker.broken_promises(repeated) == []
    assert list(checker.executed_twice(repeated)) == ["step one of run run-1 was executed 2 times"]


def test_a_step_executed_in_spite_of_its_result() -> None:
    by_discovery = clean(answers={**clean().answers, 3: answer(3, step="one")})
    by_target = with_call(call(4, {"one": 1, "two": 2}, target="two", at=3.2))
    assert len(list(checker.repeated_steps(by_discovery))) == 1
    assert len(list(checker.repeated_steps(by_target))) == 1


def test_a_result_that_a_later_call_lacks() -> None:
    (problem,) = checker.lost_results(with_call(call(4, {"one": 1})))
    assert problem.startswith("call 4 (limited")
    assert "lacks two" in problem


def test_calls_under_way_together_may_overtake_one_another_for_a_moment() -> None:
    calls = [call(1, {"p0": 0, "p1": 0}, "parallel"), call(2, {"p0": 0}, "parallel")]
    late = [calls[0], call(4, {"p0": 0}, "parallel")]
    assert list(checker.lost_results(story(calls, []))) == []
    assert len(list(checker.lost_results(story(late, [])))) == 1


def test_a_result_that_changes() -> None:
    changed = clean(calls=[*clean().calls[:2], call(3, {"one": 2, "two": 2})])
    assert len(list(checker.changed_results(changed))) == 1


@pytest.mark.parametrize(
    "memos",
    [{"one": 99}, {"one": 2}, {"one": 3}],
    ids=["of no call", "of a call that executed another step", "of a call that executed none"],
)
def test_a_result_that_no_call_made(memos: dict[str, int]) -> None:
    invented = with_call(call(4, memos))
    assert len(list(checker.invented_results(invented))) == 1


def test_a_result_of_another_run() -> None:
    foreign = with_call(call(4, {"one": 1}, run="run-2"))
    assert len(list(checker.invented_results(foreign))) == 1


def test_a_call_after_the_end_of_its_run() -> None:
    assert len(list(checker.calls_after_the_end(with_call(call(9, {"one": 1, "two": 2}))))) == 1


def test_a_sleep_that_ends_too_early() -> None:
    calls = [call(1, {}, "sleep"), call(2, {"nap": 0}, "sleep", at=1.9)]
    punctual = [calls[0], call(2, {"nap": 0}, "sleep", at=2.1)]
    answers = [answer(1, "nap", at=1.02)]
    assert len(list(checker.early_wake_ups(story(calls, answers)))) == 1
    assert list(checker.early_wake_ups(story(punctual, answers))) == []


def test_more_calls_at_a_time_than_the_limit() -> None:
    calls = [call(number, {}, at=1 + number / 10) for number in (1, 2, 3)]
    answers = [answer(number, step="one", at=2.0) for number in (1, 2, 3)]
    assert len(list(checker.excess_of_limit(story(calls, answers)))) == 1


def test_more_calls_of_a_key_at_a_time_than_its_limit() -> None:
    """Of two keys one call each may be under way; "keyed" as a whole allows two."""
    kept = [call(1, {}, "keyed", n=1, at=1.1), call(2, {}, "keyed", n=2, at=1.2)]
    broken = [kept[0], call(2, {}, "keyed", n=4, at=1.2)]
    answers = [answer(number, at=2.0) for number in (1, 2)]
    assert list(checker.excess_of_limit(story(kept, answers))) == []
    (problem,) = checker.excess_of_limit(story(broken, answers))
    assert problem.endswith("is the 2th at a time of 1 by key: event.data.key")


def test_functions_that_share_a_limit_count_together() -> None:
    names = ("shared", "callee", "shared")
    calls = [call(number, {}, name, at=1 + number / 10) for number, name in enumerate(names)]
    answers = [answer(number, at=2.0) for number in range(3)]
    assert len(list(checker.excess_of_limit(story(calls, answers)))) == 1


def test_calls_one_after_the_other_and_generations_of_one_item_keep_the_limit() -> None:
    calls = [call(number, {}, at=1 + number / 10) for number in (1, 2, 3)]
    answers = [answer(1, at=1.15), answer(2, at=2.0), answer(3, at=2.0)]
    generations = [*calls[:2], call(3, {}, at=1.3, job="item-1", generation=2)]
    assert list(checker.excess_of_limit(story(calls, answers))) == []
    assert list(checker.excess_of_limit(story(generations, [answer(n, at=2.0) for n in (1, 2, 3)]))) == []


def test_a_loss_ends_the_leases_that_it_overtakes() -> None:
    calls = [call(1, {}, at=1.0), call(2, {}, at=1.1), call(3, {}, at=1.5)]
    answers = [answer(number, at=2.0) for number in (1, 2, 3)]
    assert list(checker.excess_of_limit(story(calls, answers, losses=(1.2,)))) == []


def test_an_event_without_its_run() -> None:
    events = [*clean().accepted, Accepted("event-2", "chaos/sequence", 8, 0.4)]
    assert list(checker.wrong_run_counts(clean(accepted=events))) == [
        "event event-2 has no run of audit",
        "event event-2 has no run of sequence",
    ]


def test_an_event_with_two_runs_of_a_function() -> None:
    runs = [run(), run(id="run-2")]
    assert list(checker.wrong_run_counts(clean(runs=runs))) == ["event event-1 has 2 runs of limited"]


def test_a_run_that_no_event_asked_for() -> None:
    runs = [run(), run(id="run-2", event="event-9")]
    assert list(checker.wrong_run_counts(clean(runs=runs))) == ["event event-9 has a run of limited, unasked"]


def test_an_invocation_without_its_run() -> None:
    runs = [run(id="run-2", function="invoke", event="event-2", output={"n": 9})]
    (missing,) = checker.wrong_invocations(clean(runs=runs))
    (too_many,) = checker.wrong_invocations(clean(runs=[runs[0]._replace(function="callee")]))
    assert missing == "invoked runs: {9: 1} are missing, {} are too many"
    assert too_many == "invoked runs: {} are missing, {9: 1} are too many"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"status": "Running"}, "run run-1 of limited is Running"),
        ({"status": "Failed"}, "run run-1 of limited is Failed"),
        ({"status": "Unknown", "function": ""}, "run run-1 of  is Unknown"),
        ({"started_at": 0.0}, "run run-1 has odd times: 0.5, 0.0, 3.5"),
        ({"id": "run-3"}, "run run-1 is not in history"),
    ],
)
def test_a_run_that_did_not_end_well(changes: dict[str, Any], problem: str) -> None:
    assert list(checker.unfinished_runs(clean(runs=[run(**changes)]))) == [problem]


@pytest.mark.parametrize(
    "output", [{"n": 8, "steps": {"one": 1, "two": 2}}, {"n": 7, "steps": {"one": 1, "two": 1}}, {}]
)
def test_an_output_that_is_not_what_the_app_answered(output: dict[str, Any]) -> None:
    assert list(checker.wrong_outputs(clean(runs=[run(output=output)]))) != []


def test_only_what_was_acknowledged_just_before_a_loss_may_be_missing() -> None:
    forgotten = clean(runs=[], losses=(0.5,))
    remembered = clean(runs=[], losses=(9.0,))
    assert list(checker.wrong_run_counts(forgotten)) == []
    assert list(checker.wrong_run_counts(remembered)) == ["event event-1 has no run of limited"]


@pytest.mark.parametrize(("loss", "problems"), [(2.9, []), (2.0, ["run run-1 is not in history"])])
def test_a_run_may_be_forgotten_whose_call_was_on_its_way(loss: float, problems: list[str]) -> None:
    """The last call reaches the app at 3."""
    assert list(checker.unfinished_runs(clean(runs=[], losses=(loss,)))) == problems


def test_a_run_that_had_ended_just_before_a_loss_may_go_on() -> None:
    late = with_call(call(9, {"one": 1, "two": 2}))
    assert list(checker.calls_after_the_end(late._replace(losses=(4.0,)))) == []


def test_a_loss_excuses_no_result_that_was_known_before() -> None:
    calls = [call(1, {"one": 0}), call(5, {"one": 0}), call(7, {})]
    assert len(list(checker.lost_results(story(calls, [], losses=(5.5,))))) == 1
    assert list(checker.lost_results(story(calls[1:], [], losses=(5.5,)))) == []


@pytest.mark.parametrize(("loss", "problems"), [(4.9, 0), (4.0, 1)])
def test_results_may_be_forgotten_whose_call_was_on_its_way(loss: float, problems: int) -> None:
    """The call that carries them reaches the app at 5."""
    calls = [call(5, {"one": 0}), call(7, {}), call(8, {"one": 7})]
    after = story(calls, [], losses=(loss,))
    assert len(list(checker.lost_results(after))) == problems
    assert len(list(checker.changed_results(after))) == problems
