"""What a verdict about a match leaves behind: the event's outcome, a skipped run, an answer to an invoke."""

from apps.engine.new_run import NewRun
from apps.engine.records import EventHandled, RunScheduled
from apps.engine.scheduler import Verdict

_DEBOUNCED = "invoked function was debounced"

# Verdict -> reason in the event's outcome, for events that start no run of their own now.
_HELD = {"batched": "Batched", "debounced": "Debounced", "outdated": "Debounced"}


def note_verdict(record: EventHandled, run: NewRun, verdict: Verdict) -> RunScheduled | None:
    """Add the verdict to the outcome of the event; returns the skipped run that it leaves, if any."""
    function_id = run.spec.id
    record.failed.extend((function_id, problem) for problem in run.problems)
    if verdict.skip_reason:
        record.skipped.append((function_id, verdict.skip_reason, run.run_id))
        holder = verdict.detail if verdict.outcome == "singleton" else ""
        return run.skipped(verdict.skip_reason, holder)
    if verdict.outcome == "duplicate":
        record.skipped.append((function_id, "Duplicate", verdict.run_id))
    elif verdict.outcome == "limited":
        record.skipped.append((function_id, "RateLimited", ""))
    elif verdict.outcome in _HELD:
        detail = verdict.detail if verdict.outcome == "batched" else ""
        record.skipped.append((function_id, _HELD[verdict.outcome], detail))
    else:
        record.run_ids.append(verdict.run_id)
    return None


def refusal(verdict: Verdict) -> str:
    """What the invoke behind the event is told; empty where it is to wait (spec 02, 1.5 and 4.2)."""
    if verdict.skip_reason:
        return f"invoked function was skipped: {verdict.skip_reason}"
    if verdict.outcome == "duplicate":
        return "invoked function was skipped: duplicate event"
    if verdict.outcome == "limited":
        return "invoked function is rate limited"
    return _DEBOUNCED if verdict.outcome == "outdated" else ""


def superseded_invoke(verdict: Verdict) -> tuple[str, str]:
    """The correlation id of an invoke whose debounced event gave way to this one, and what it is told."""
    return (verdict.detail, _DEBOUNCED) if verdict.outcome == "debounced" else ("", "")
