from dataclasses import dataclass, field

from apps.dashboard.presenters.timeline import Row, Timeline, build_timeline, failing_step
from apps.runs.choices import RunStatus, StepStatus
from apps.runs.trace import run_tree

START = 1_000_000


@dataclass
class FakeRun:
    status: int = RunStatus.RUNNING
    run_id: str = "R"
    queued_at: int = START
    started_at: int | None = START
    ended_at: int | None = None

    @property
    def has_ended(self) -> bool:
        return self.status >= RunStatus.COMPLETED


@dataclass
class FakeAttempt:
    step_id: str
    status: int
    queued_at: int | None
    started_at: int | None = None
    ended_at: int | None = None
    attempt: int = 0
    op: str = "StepRun"
    max_attempts: int | None = 4
    info: str = ""
    name: str = field(default="")

    def __post_init__(self) -> None:
        self.name = self.name or self.step_id


def timeline_of(
    run: FakeRun, *attempts: FakeAttempt, now: int = START + 1000, max_rows: int = 300
) -> Timeline:
    return build_timeline(run_tree(run, attempts), "Function", now, max_rows)


def positions(row: Row) -> list[tuple[str, str, str]]:
    return [(bar.tone, bar.x, bar.width) for bar in row.bars]


def test_bars_lie_where_their_times_say() -> None:
    run = FakeRun(RunStatus.COMPLETED, ended_at=START + 1000)
    step = FakeAttempt("a", StepStatus.COMPLETED, START + 100, START + 250, START + 750)
    root, row = timeline_of(run, step).rows
    assert positions(root) == [("ok", "0.000%", "100.000%")]
    assert positions(row) == [("queued", "10.000%", "15.000%"), ("ok", "25.000%", "50.000%")]
    assert (root.length, row.length) == ("1.00 s", "500 ms")


def test_open_bars_reach_the_present_and_have_no_end() -> None:
    timeline = timeline_of(FakeRun(), FakeAttempt("a", StepStatus.RUNNING, START, START + 500))
    row = timeline.rows[1]
    assert timeline.is_growing
    assert positions(row) == [("queued", "0.000%", "50.000%"), ("busy", "50.000%", "50.000%")]
    assert row.bars[1].end is None
    assert (row.length, row.since) == ("", START + 500)


def test_something_short_can_still_be_seen_also_at_the_end() -> None:
    run = FakeRun(RunStatus.COMPLETED, ended_at=START + 100_000)
    step = FakeAttempt("a", StepStatus.COMPLETED, START + 100_000, START + 100_000, START + 100_000)
    assert positions(timeline_of(run, step).rows[1]) == [("ok", "99.600%", "0.400%")]


def test_waiting_is_told_apart_from_working() -> None:
    run = FakeRun()
    rows = timeline_of(
        run,
        FakeAttempt("s", StepStatus.SLEEPING, START, START, op="Sleep"),
        FakeAttempt("t", StepStatus.TIMED_OUT, START + 1, START + 1, START + 9, op="WaitForEvent"),
        FakeAttempt("w", StepStatus.COMPLETED, START + 2, START + 2, START + 9, op="WaitForEvent"),
    ).rows[1:]
    assert [row.badge.label for row in rows] == ["Sleeping", "Timed out", "Completed"]
    assert [row.bars[-1].tone for row in rows] == ["wait", "wait", "wait"]


def test_attempts_hang_below_their_step_with_keys_of_their_own() -> None:
    rows = timeline_of(
        FakeRun(),
        FakeAttempt("a/b c", StepStatus.ERRORED, START, START, START + 10),
        FakeAttempt("a/b c", StepStatus.RUNNING, START + 10, START + 20, attempt=1),
    ).rows
    assert [(row.key, row.depth, row.name, row.retries) for row in rows] == [
        ("run", 0, "Function", 0),
        ("~a/b c", 0, "a/b c", 1),
        ("0~a/b c", 1, "Attempt 1", 0),
        ("1~a/b c", 1, "Attempt 2", 0),
    ]
    assert rows[1].dom_id == "row-~a%2Fb%20c"


def test_of_many_rows_the_last_ones_are_shown() -> None:
    attempts = [
        FakeAttempt(f"s{n}", StepStatus.COMPLETED, START + n, START + n, START + n) for n in range(10)
    ]
    timeline = timeline_of(FakeRun(), *attempts, max_rows=4)
    assert timeline.hidden == 6
    assert [row.name for row in timeline.rows] == ["Function", "s6", "s7", "s8", "s9"]


def test_a_run_without_steps_is_one_row() -> None:
    timeline = timeline_of(FakeRun(RunStatus.SCHEDULED, started_at=None))
    assert [positions(row) for row in timeline.rows] == [[("queued", "0.000%", "100.000%")]]
    assert [text for _, text in timeline.ticks] == ["0 ms", "250 ms", "500 ms", "750 ms", "1.00 s"]


def test_a_failed_run_says_where_it_failed() -> None:
    run = FakeRun(RunStatus.FAILED, ended_at=START + 100)
    first = FakeAttempt("charge", StepStatus.ERRORED, START, START, START + 1)
    last = FakeAttempt("charge", StepStatus.FAILED, START + 1, START + 2, START + 3, attempt=1)
    own = FakeAttempt("", StepStatus.FAILED, START + 3, START + 3, START + 4)
    assert failing_step(run_tree(run, [first, last])) == "Failed in step charge after 2 attempts."
    assert failing_step(run_tree(run, [own])) == "Failed in the function's own code."
    assert failing_step(run_tree(FakeRun(), [first])) == ""
