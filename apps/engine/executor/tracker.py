"""The items that a worker holds: for extending leases, for draining, and to show long steps as running."""

from apps.engine import clock
from apps.engine.records import StepRecorded
from apps.engine.store.views import Item

_LONG_MS = 300


class Tracker:
    def __init__(self) -> None:
        self.held: dict[str, Item] = {}
        self._since: dict[str, int] = {}

    def hold(self, item: Item) -> None:
        self.held[item.id] = item
        self._since[item.id] = clock.now_ms()

    def release(self, item: Item) -> None:
        self.lose(item.id)

    def lose(self, item_id: str) -> None:
        """The item is no longer ours, though its request may still be under way."""
        self.held.pop(item_id, None)
        self._since.pop(item_id, None)

    def newly_long(self) -> list[StepRecorded]:
        """Records of the targeted steps that have been running for a while, each once.

        Short steps are told of when they end; one record more for each would cost more than it shows.
        """
        before = clock.now_ms() - _LONG_MS
        records = []
        for item_id, since in list(self._since.items()):
            if since < before:
                del self._since[item_id]
                item = self.held[item_id]
                if item.kind == "step":
                    records.append(_running(item, since))
        return records


def _running(item: Item, since: int) -> StepRecorded:
    return StepRecorded(
        item.run_id,
        item.step_id,
        item.attempt,
        "StepRun",
        "Running",
        queued_at=item.queued_at,
        started_at=since,
    )
