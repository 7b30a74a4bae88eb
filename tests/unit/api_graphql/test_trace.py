"""The tree of a run (spec 02, 10.5)."""

from apps.runs.choices import RunStatus, StepStatus
from apps.runs.trace import OutputRef, TraceStatus, run_tree
from tests.unit.api_graphql.rows import RUN_ID, RunFacts, outline, own_code, step


def test_the_observed_example() -> None:
    run = RunFacts(status=RunStatus.COMPLETED, ended_at=4585)
    rows = [
        own_code(StepStatus.ERRORED, 0, (3532, 3572, 3580)),
        own_code(StepStatus.COMPLETED, 1, (3580, 4578, 4582)),
        step("invy", op="InvokeFunction", times=(3226, 3226, 3527)),
        step("waity", StepStatus.TIMED_OUT, op="WaitForEvent", times=(2180, 2180, 3185)),
        step("sleepy", op="Sleep", times=(1177, 1177, 2177)),
        step("P2", attempt=1, times=(132, 1136, 1140)),
        step("P2", StepStatus.ERRORED, times=(77, 125, 132)),
        step("P1", times=(77, 123, 131)),
        step("A step", times=(4, 25, 41)),
    ]
    assert list(outline(run_tree(run, rows))) == [
        "run - COMPLETED 0 0 4585 #0",
        "  step A step COMPLETED 4 25 41 #0",
        "  step P1 COMPLETED 77 123 131 #0",
        "  step P2 COMPLETED 77 125 1140 #1",
        "    attempt P2 FAILED 77 125 132 #0",
        "    attempt P2 COMPLETED 132 1136 1140 #1",
        "  step sleepy COMPLETED 1177 1177 2177 #0",
        "  step waity COMPLETED 2180 2180 3185 #0",
        "  step invy COMPLETED 3226 3226 3527 #0",
        "  function - COMPLETED 3532 3572 4582 #1",
        "    attempt - FAILED 3532 3572 3580 #0",
        "    attempt - COMPLETED 3580 4578 4582 #1",
    ]


def test_a_queued_run_has_no_children() -> None:
    tree = run_tree(RunFacts(status=RunStatus.SCHEDULED, queued_at=7, started_at=None), [])
    assert list(outline(tree)) == ["run - QUEUED 7 None None #0"]


def test_open_nodes_have_no_end() -> None:
    rows = [
        step("nap", StepStatus.SLEEPING, op="Sleep", times=(5, 5, None)),
        step("wait", StepStatus.WAITING, op="WaitForEvent", times=(6, 6, None)),
        step("call", StepStatus.INVOKING, op="InvokeFunction", times=(7, 7, None)),
        step("work", StepStatus.RUNNING, times=(8, 9, None)),
        step("later", StepStatus.QUEUED, times=(9, None, None)),
    ]
    assert list(outline(run_tree(RunFacts(), rows))) == [
        "run - RUNNING 0 0 None #0",
        "  step nap RUNNING 5 5 None #0",
        "  step wait WAITING 6 6 None #0",
        "  step call RUNNING 7 7 None #0",
        "  step work RUNNING 8 9 None #0",
        "  step later QUEUED 9 None None #0",
    ]


def test_a_failed_attempt_of_a_live_run_is_followed_by_the_retry_that_will_come() -> None:
    rows = [step("boom", StepStatus.ERRORED, times=(1, 2, 3))]
    tree = run_tree(RunFacts(), rows)
    assert list(outline(tree)) == [
        "run - RUNNING 0 0 None #0",
        "  step boom RUNNING 1 2 None #1",
        "    attempt boom FAILED 1 2 3 #0",
        "    attempt boom QUEUED 3 None None #1",
    ]
    assert [node.is_planned for node in tree.steps[0].attempts] == [False, True]


def test_a_queued_retry_keeps_its_step_running() -> None:
    rows = [
        step("boom", StepStatus.ERRORED, times=(1, 2, 3)),
        step("boom", StepStatus.QUEUED, attempt=1, times=(4, None, None)),
    ]
    assert list(outline(run_tree(RunFacts(), rows)))[1:] == [
        "  step boom RUNNING 1 2 None #1",
        "    attempt boom FAILED 1 2 3 #0",
        "    attempt boom QUEUED 4 None None #1",
    ]


def test_a_step_that_failed_for_good_fails_its_function() -> None:
    run = RunFacts(status=RunStatus.FAILED, ended_at=9)
    rows = [
        step("boom", StepStatus.ERRORED, times=(1, 2, 3)),
        step("boom", StepStatus.FAILED, attempt=1, times=(3, 4, 5)),
        own_code(StepStatus.FAILED, times=(5, 6, 7)),
    ]
    assert list(outline(run_tree(run, rows))) == [
        "run - FAILED 0 0 9 #0",
        "  step boom FAILED 1 2 5 #1",
        "    attempt boom FAILED 1 2 3 #0",
        "    attempt boom FAILED 3 4 5 #1",
        "  function - FAILED 5 6 7 #0",
    ]


def test_an_ended_run_leaves_nothing_open() -> None:
    run = RunFacts(status=RunStatus.CANCELLED, ended_at=50)
    rows = [
        step("boom", StepStatus.ERRORED, times=(1, 2, 3)),
        step("nap", StepStatus.SLEEPING, op="Sleep", times=(5, 5, None)),
        own_code(StepStatus.RUNNING, times=(6, 6, None)),
    ]
    assert list(outline(run_tree(run, rows))) == [
        "run - CANCELLED 0 0 50 #0",
        "  step boom CANCELLED 1 2 3 #0",
        "  step nap CANCELLED 5 5 50 #0",
        "  function - CANCELLED 6 6 50 #0",
    ]


def test_a_failed_request_shows_its_retry_until_the_run_goes_on() -> None:
    failed = own_code(StepStatus.ERRORED, times=(1, 2, 3))
    waiting = run_tree(RunFacts(), [failed])
    assert list(outline(waiting))[1:] == [
        "  function - RUNNING 1 2 None #1",
        "    attempt - FAILED 1 2 3 #0",
        "    attempt - QUEUED 3 None None #1",
    ]
    went_on = run_tree(RunFacts(), [failed, step("a", times=(4, 4, 5))])
    assert list(outline(went_on))[1:] == [
        "  step a COMPLETED 4 4 5 #0",
        "  function - RUNNING 1 2 None #0",
    ]


def test_attempts_of_an_earlier_request_are_not_attempts_of_the_outcome() -> None:
    run = RunFacts(status=RunStatus.COMPLETED, ended_at=9)
    rows = [
        own_code(StepStatus.COMPLETED, 0, (7, 8, 9)),
        own_code(StepStatus.ERRORED, 1, (2, 3, 4)),
    ]
    assert list(outline(run_tree(run, rows)))[1:] == ["  function - COMPLETED 7 8 9 #0"]


def test_a_skipped_run_is_a_single_ended_node() -> None:
    tree = run_tree(RunFacts(status=RunStatus.SKIPPED, started_at=None, ended_at=0), [])
    assert list(outline(tree)) == ["run - SKIPPED 0 None 0 #0"]
    assert tree.duration_ms is None


def test_outputs_exist_for_outcomes_and_never_for_sleeps() -> None:
    rows = [
        step("a", times=(1, 1, 4)),
        step("nap", op="Sleep", times=(2, 2, 2)),
        step("wait", StepStatus.TIMED_OUT, op="WaitForEvent", times=(3, 3, 3)),
        step("open", StepStatus.RUNNING, times=(4, 4, None)),
        step("bad", StepStatus.FAILED, attempt=2, times=(5, 5, 5)),
    ]
    tree = run_tree(RunFacts(), rows)
    assert [node.output for node in tree.steps] == [
        OutputRef(RUN_ID, "id-a"),
        None,
        OutputRef(RUN_ID, "id-wait"),
        None,
        OutputRef(RUN_ID, "id-bad", 2),
    ]
    assert tree.output == OutputRef(RUN_ID)
    assert tree.steps[0].duration_ms == 3


def test_every_run_status_has_its_place_in_the_tree() -> None:
    assert {status: run_tree(RunFacts(status=status), []).status for status in RunStatus} == {
        RunStatus.UNKNOWN: TraceStatus.QUEUED,
        RunStatus.OVERFLOWED: TraceStatus.FAILED,
        RunStatus.SCHEDULED: TraceStatus.QUEUED,
        RunStatus.RUNNING: TraceStatus.RUNNING,
        RunStatus.COMPLETED: TraceStatus.COMPLETED,
        RunStatus.FAILED: TraceStatus.FAILED,
        RunStatus.CANCELLED: TraceStatus.CANCELLED,
        RunStatus.SKIPPED: TraceStatus.SKIPPED,
    }
