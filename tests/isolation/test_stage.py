"""The cast itself, and that a snapshot sees what changes: else no test here would say anything."""

import redis
from django.utils import timezone

from apps.registry.models import App
from tests.isolation.cast import Stage
from tests.isolation.snapshot import Snapshot


def test_nothing_happened(stage: Stage, queue: "redis.Redis") -> None:
    assert Snapshot(queue).changes() == set()


def test_a_snapshot_sees_rows_and_keys(stage: Stage, queue: "redis.Redis") -> None:
    before = Snapshot(queue)
    App.objects.filter(id=stage.globex.app.id).update(archived_at=timezone.now())
    queue.hset("{q:0}:n:x", "pa", "1")
    assert before.changes() == {"registry_app", "{q:0}:n:x"}


def test_every_place_has_its_own(stage: Stage) -> None:
    places = [stage.production, *stage.others]
    for name in ("run_id", "ended_run_id", "event_id", "cancellation_id", "event_key", "signing_key"):
        assert len({getattr(place, name) for place in places}) == 3, name
