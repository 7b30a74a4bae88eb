"""Why an event started no run of its own in a function that it matched, in words."""

from dataclasses import dataclass
from typing import Final

from apps.dashboard.presenters.runs import skip_text
from apps.dashboard.presenters.statuses import Badge

_SKIPPED: Final = Badge("Skipped", "quiet", "skip-forward")
_SKIP_REASONS: Final = frozenset({"Singleton", "FunctionPaused", "FunctionDrained", "environment_archived"})

_REASONS: Final = {
    "Batched": (
        Badge("Batched", "wait", "layers"),
        "Collected into a batch, which starts one run when it is full or its time is up.",
    ),
    "Debounced": (
        Badge("Debounced", "wait", "timer"),
        "Held back by the debounce: once no more events come, the latest of them starts one run.",
    ),
    "RateLimited": (
        Badge("Rate limited", "quiet", "ban"),
        "Over the function's rate limit, or a repetition of its idempotency key: dropped without a run.",
    ),
    "FunctionNotFound": (
        Badge("Not found", "bad", "search-x"),
        "There is no such function: it has gone since, or was invoked by a wrong id.",
    ),
    "Duplicate": (
        Badge("Duplicate", "quiet", "copy"),
        "Dropped: an event with the same id came within the last 24 hours.",
    ),
}
# What became of the event that is held back, once it has started a run.
_HELD: Final = {
    "Batched": "Started by the batch that this event was collected into.",
    "Debounced": "Started by the debounce, with this event as the latest.",
}


@dataclass(frozen=True, slots=True)
class SkipView:
    """`run_id` is the run that the words speak of, and `link_words` what leads to it; both may be empty."""

    badge: Badge
    words: str
    run_id: str = ""
    link_words: str = ""


def skip_view(reason: str, detail: str) -> SkipView | None:
    """None for a reason that has no words of its own. `detail` as `EventHandled.skipped` has it."""
    if reason in _SKIP_REASONS:
        return SkipView(_SKIPPED, f"Skipped: {skip_text(reason)}.", detail, "The skipped run")
    if reason not in _REASONS:
        return None
    badge, words = _REASONS[reason]
    is_run = reason == "Duplicate"
    return SkipView(badge, words, detail if is_run else "", "The run of the first one" if is_run else "")


def started_words(reason: str) -> str:
    """What to say of the run that an event has started after it was held back for that reason."""
    return _HELD.get(reason, "")
