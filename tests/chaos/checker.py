"""Judges a story by the promises of the platform alone (spec 02, 11.1): no model of the engine, no oracle.

Each check yields a sentence per broken promise.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.chaos.app import functions
from tests.chaos.app.functions import Json, Limit
from tests.chaos.records import Call
from tests.chaos.story import RunRow, Story

# Calls of one run that are under way together carry the state as of their leases, and may overtake one
# another on their way. Functions without parallel steps have one call at a time.
_OVERTAKING_SECONDS = 2.0
_PARALLEL = frozenset({"parallel"})
# The clock of a virtual machine is set back a little now and then.
_CLOCK_SECONDS = 0.05
# What a worker held when the queue went away reaches the app this much later, at most.
_IN_FLIGHT_SECONDS = 0.25
# From the answer that ends a run to its commit.
_COMMIT_SECONDS = 1.0


def broken_promises(story: Story) -> list[str]:
    checks = (
        repeated_steps,
        lost_results,
        changed_results,
        invented_results,
        calls_after_the_end,
        early_wake_ups,
        excess_of_limit,
        wrong_run_counts,
        wrong_invocations,
        unfinished_runs,
        wrong_outputs,
    )
    return [problem for check in checks for problem in check(story)]


def repeated_steps(story: Story) -> Iterator[str]:
    """A step whose result the request carries is not executed."""
    for call in story.calls:
        answer = story.answer(call)
        step = call.target or (answer.step if answer else "")
        if step in call.memos:
            yield f"{_name(call)} executes {step} in spite of its result"


def lost_results(story: Story) -> Iterator[str]:
    """A result that one request of a run carried is carried by every later one."""
    for calls in _by_run(story.calls).values():
        seen: dict[str, Call] = {}
        for call in calls:
            patience = _OVERTAKING_SECONDS if call.function in _PARALLEL else 0.0
            for step, witness in seen.items():
                if step not in call.memos and call.at - witness.at >= patience:
                    yield f"{_name(call)} lacks {step}, which {_name(witness)} carried"
            if not _may_be_forgotten(story, call.at):
                for step in call.memos:
                    seen.setdefault(step, call)


def changed_results(story: Story) -> Iterator[str]:
    """The first result that is saved stays."""
    for calls in _by_run(story.calls).values():
        seen: dict[str, int] = {}
        for call in calls:
            for step, executor in call.memos.items():
                if seen.setdefault(step, executor) != executor:
                    yield f"{_name(call)} carries another result of {step}: {executor}, not {seen[step]}"
            if _may_be_forgotten(story, call.at):
                seen.clear()


def invented_results(story: Story) -> Iterator[str]:
    """Each result comes from a call of the same run that executed the step."""
    runs = {call.number: call.run for call in story.calls}
    for call in story.calls:
        for step, executor in call.memos.items():
            if step not in functions.worked_steps(call.function):
                continue
            answer = story.answers.get(executor)
            if answer is None or answer.step != step or runs[executor] != call.run:
                yield f"{_name(call)} carries a result of {step} from call {executor}, which did not make it"


def calls_after_the_end(story: Story) -> Iterator[str]:
    ends = {run.id: run.ended_at for run in story.runs if run.ended_at}
    for call in story.calls:
        end = ends.get(call.run)
        if end is None or story.is_forgivable(end):
            continue
        if call.at > end + _COMMIT_SECONDS:
            yield f"{_name(call)} comes {call.at - end:.3f} s after the end of its run"


def early_wake_ups(story: Story) -> Iterator[str]:
    """A sleep lasts at least as long as it was asked to, from the first request for it."""
    shortest = functions.NAP_SECONDS - _CLOCK_SECONDS
    asked: dict[str, float] = {}
    for call in story.calls:
        answer = story.answer(call)
        if answer is not None and answer.kind == "nap":
            asked.setdefault(call.run, call.at)
        if "nap" in call.memos and call.at - asked.get(call.run, call.at) < shortest:
            yield f"{_name(call)} comes before the end of the sleep"


def excess_of_limit(story: Story) -> Iterator[str]:
    """Never more leases of the functions that share a limit under way than it allows, for any key value."""
    for limit in functions.LIMITS:
        for call, leases in under_way(story, limit):
            if leases > limit.most:
                yield f"{_name(call)} is the {leases}th at a time of {limit.most} by key: {limit.key}"


def under_way(story: Story, limit: Limit) -> Iterator[tuple[Call, int]]:
    """How many leases are under way when each call begins, itself included, of those that it shares the
    limit with.

    A call counts from its arrival to its answer, and several calls of one item count once: all but the
    last have lost the lease. What a loss of the queue's memory overtakes has lost its lease then.
    """
    changes = []
    for call in story.calls:
        if call.function in limit.functions:
            answer = story.answer(call)
            until = min(
                [answer.at if answer else call.at, *(loss for loss in story.losses if loss > call.at)]
            )
            changes += [(call.at, 1, call), (until, 0, call)]
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for _, is_start, call in sorted(changes, key=lambda change: change[:2]):
        group = groups[functions.key_of(call.n) if limit.key == "event.data.key" else ""]
        group[call.job] += 1 if is_start else -1
        if is_start:
            yield call, sum(1 for count in group.values() if count > 0)


def wrong_run_counts(story: Story) -> Iterator[str]:
    """Exactly one run for each pair of an accepted event and a function that it starts, and no other."""
    asked = {
        (event.id, function): event.at
        for event in story.accepted
        for function in functions.STARTED_BY.get(event.name, ())
    }
    found = Counter((run.event, run.function) for run in story.runs if run.function not in ("callee", ""))
    for event, function in sorted(asked.keys() - found.keys()):
        if not story.is_forgivable(asked[event, function]):
            yield f"event {event} has no run of {function}"
    for (event, function), count in sorted(found.items()):
        if (event, function) not in asked:
            yield f"event {event} has a run of {function}, unasked"
        elif count > 1:
            yield f"event {event} has {count} runs of {function}"


def wrong_invocations(story: Story) -> Iterator[str]:
    """Each run that invokes has one invoked run; the event of that one is made by the engine."""
    callers, invoked = _numbers(story.runs, "invoke"), _numbers(story.runs, "callee")
    lasting = [run for run in story.runs if not story.is_forgivable(run.queued_at)]
    missing = _numbers(lasting, "invoke") - invoked
    too_many = _numbers(lasting, "callee") - callers
    if missing or too_many:
        yield f"invoked runs: {dict(missing)} are missing, {dict(too_many)} are too many"


def _numbers(runs: Sequence[RunRow], function: str) -> Counter[object]:
    return Counter(run.output.get("n") for run in runs if run.function == function)


def _may_be_forgotten(story: Story, called_at: float) -> bool:
    """Whether the queue may have lost what led to a call: it counts from when the call left."""
    return story.is_forgivable(called_at) or story.is_forgivable(called_at - _IN_FLIGHT_SECONDS)


def unfinished_runs(story: Story) -> Iterator[str]:
    known = {run.id for run in story.runs}
    for run_id, calls in sorted(_by_run(story.calls).items()):
        if run_id not in known and not _may_be_forgotten(story, calls[-1].at):
            yield f"run {run_id} is not in history"
    for run in story.runs:
        if story.is_forgivable(run.queued_at):
            continue
        if run.status != "Completed":
            yield f"run {run.id} of {run.function} is {run.status}"
        elif not run.queued_at - _CLOCK_SECONDS <= run.started_at <= run.ended_at + _CLOCK_SECONDS:
            yield f"run {run.id} has odd times: {run.queued_at}, {run.started_at}, {run.ended_at}"


def wrong_outputs(story: Story) -> Iterator[str]:
    """The output is what a call answered that ended the run: its event, and who executed its steps."""
    sent = {event.id: event.n for event in story.accepted}
    ends: dict[str, list[Json]] = defaultdict(list)
    for call, answer in story.answered():
        if answer.kind == "end":
            ends[call.run].append(functions.output(call.function, call.n, call.memos))
    for run in story.runs:
        if run.status != "Completed":
            continue
        if run.output not in ends[run.id]:
            yield f"run {run.id} of {run.function} ended with {run.output}, not with one of {ends[run.id]}"
        if run.event in sent and run.output.get("n") != sent[run.event]:
            yield f"run {run.id} of {run.function} ended with {run.output}, for event {sent[run.event]}"


def executed_twice(story: Story) -> Iterator[str]:
    """For scenarios that interrupt nothing: each step is executed exactly once."""
    times = Counter((call.run, answer.step) for call, answer in story.answered() if answer.step)
    for (run, step), count in times.items():
        if count > 1:
            yield f"step {step} of run {run} was executed {count} times"


def _by_run(calls: Sequence[Call]) -> dict[str, list[Call]]:
    runs: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        runs[call.run].append(call)
    return runs


def _name(call: Call) -> str:
    return (
        f"call {call.number} ({call.function}, run {call.run}, item {call.job} generation {call.generation})"
    )
