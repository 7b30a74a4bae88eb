"""The page of one event: its payload, and everything that the runner decided about it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final
from uuid import UUID

from django.urls import reverse

from apps.dashboard.pages.event_source import EventSource, event_source
from apps.dashboard.pages.naming import Names, names_of
from apps.dashboard.pages.run_list import run_views
from apps.dashboard.presenters.outcomes import skip_view, started_words
from apps.dashboard.presenters.payloads import CodeBlock, code_block
from apps.dashboard.presenters.runs import RunView
from apps.dashboard.presenters.statuses import Badge
from apps.dashboard.selectors.runs import runs_by_id
from apps.events import selectors
from apps.events.models import Event
from apps.events.selectors import Outcome, Skipped
from apps.runs.models import Run

MAX_ENTRIES: Final = 100
_RESUMED: Final = Badge("Resumed", "busy", "play")
_CANCELLED: Final = Badge("Cancelled", "quiet", "ban")
_SKIPPED: Final = Badge("Skipped", "quiet", "skip-forward")
_FAILED: Final = Badge("Expression failed", "bad", "triangle-alert")


@dataclass(frozen=True, slots=True)
class OutcomeEntry:
    """`note` is raw text, `words` are a sentence; `more_url` leads to the run that it speaks of."""

    badge: Badge
    title: str
    url: str = ""
    note: str = ""
    at_ms: int | None = None
    words: str = ""
    more_url: str = ""
    more_words: str = ""


class EventPage:
    """Each part is read when a template first asks for it; the payload only with `shows_data`."""

    def __init__(self, environment_id: UUID, event: Event, *, shows_data: bool = True) -> None:
        self.shows_data = shows_data
        self._environment_id = environment_id
        self.event = event

    @cached_property
    def source(self) -> EventSource:
        return event_source(self.event)

    @cached_property
    def outcome(self) -> Outcome | None:
        """None while the event waits to be handled."""
        return selectors.event_outcome(self._environment_id, self.event.internal_id)

    @property
    def block(self) -> CodeBlock | None:
        if not self.shows_data:
            return None
        body = selectors.event_bodies(self._environment_id, [self.event.key]).get(self.event.key)
        if body is None:
            return None
        download = reverse("dashboard:event-payload", args=[self.event.internal_id])
        return code_block("event-payload", "Event", body, download)

    @cached_property
    def entries(self) -> list[OutcomeEntry]:
        """At most `MAX_ENTRIES` of each kind."""
        return list(self._entries(self.outcome)) if self.outcome else []

    @property
    def hidden(self) -> int:
        outcome = self.outcome
        if outcome is None:
            return 0
        kinds: Sequence[Sequence[object]] = (
            outcome.run_ids,
            outcome.resumed,
            outcome.cancelled,
            outcome.skipped,
            outcome.failed,
        )
        return sum(max(0, len(kind) - MAX_ENTRIES) for kind in kinds)

    def _entries(self, outcome: Outcome) -> Iterator[OutcomeEntry]:
        rows = self._rows(outcome)
        runs = {view.run_id: view for view in run_views(self._environment_id, list(rows.values()))}
        started = {str(rows[run_id].function_id) for run_id in outcome.run_ids if run_id in rows}
        held = {skip.function_id: started_words(skip.reason) for skip in outcome.skipped}
        for run_id in outcome.run_ids[:MAX_ENTRIES]:
            words = held.get(str(rows[run_id].function_id), "") if run_id in rows else ""
            yield _run_entry(run_id, runs, None, words)
        yield from (_run_entry(run_id, runs, _RESUMED) for run_id in outcome.resumed[:MAX_ENTRIES])
        yield from (_run_entry(run_id, runs, _CANCELLED) for run_id in outcome.cancelled[:MAX_ENTRIES])
        yield from self._refusals(outcome, started)

    def _rows(self, outcome: Outcome) -> dict[str, Run]:
        lists = (outcome.run_ids, outcome.resumed, outcome.cancelled)
        return runs_by_id(self._environment_id, [run_id for ids in lists for run_id in ids[:MAX_ENTRIES]])

    def _refusals(self, outcome: Outcome, started: Collection[str]) -> Iterator[OutcomeEntry]:
        """`started`: functions of which the event has a run by now, so that it is not held back any more."""
        skipped, failed = outcome.skipped[:MAX_ENTRIES], outcome.failed[:MAX_ENTRIES]
        skipped = [
            skip for skip in skipped if not (started_words(skip.reason) and skip.function_id in started)
        ]
        if not skipped and not failed:
            return
        ids = [skip.function_id for skip in skipped] + [failure.function_id for failure in failed]
        names = names_of(self._environment_id, _uuids(ids))
        for skip in skipped:
            yield _skip_entry(skip, names)
        for failure in failed:
            yield _function_entry(_FAILED, failure.function_id, names, failure.text)


def _run_entry(run_id: str, runs: dict[str, RunView], badge: Badge | None, words: str = "") -> OutcomeEntry:
    """Of a run that was started: its own status, which moves on."""
    view = runs.get(run_id)
    if view is None:
        return OutcomeEntry(badge or _SKIPPED, run_id, note="not stored")
    return OutcomeEntry(badge or view.badge, view.function_name, view.url, run_id, view.queued_at, words)


def _skip_entry(skip: Skipped, names: Names) -> OutcomeEntry:
    known = skip_view(skip.reason, skip.detail)
    if known is None:
        note = f"{skip.reason}: {skip.detail}" if skip.detail else skip.reason
        return _function_entry(_SKIPPED, skip.function_id, names, note)
    entry = _function_entry(known.badge, skip.function_id, names, "")
    more_url = reverse("dashboard:run", args=[known.run_id]) if known.run_id else ""
    return replace(entry, words=known.words, more_url=more_url, more_words=known.link_words)


def _function_entry(badge: Badge, function_id: str, names: Names, note: str) -> OutcomeEntry:
    known = next(iter(_uuids([function_id])), None)
    slug = names.slug(known) if known else ""
    title = names.function(known) if known else function_id or "Unknown function"
    return OutcomeEntry(badge, title, reverse("dashboard:function", args=[slug]) if slug else "", note)


def _uuids(texts: Sequence[str]) -> list[UUID]:
    """Those of the texts that are UUIDs."""
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
