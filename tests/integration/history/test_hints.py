"""Hints go only to who listens, and never stop the writer."""

import asyncio
from collections.abc import Callable

import redis

from apps.engine.records import RunStarted
from apps.engine.store.client import RedisClient
from apps.runs.history.database import HistoryDatabase
from apps.runs.history.hints import Hints, RedisListeners
from apps.runs.models import Run
from tests.integration.history.life import ENV, RUN, scheduled, step
from tests.integration.history.running import Recorder, add_records, running_writer, wait_for

PREFIX = "live"


def factory(redis_url: str, sender: Recorder) -> Callable[[HistoryDatabase], Hints]:
    def make(database: HistoryDatabase) -> Hints:
        return Hints(sender, RedisListeners(RedisClient(redis_url), PREFIX), database.environments)

    return make


def test_listeners_of_a_run_and_of_its_list_are_told(
    database: str, redis_url: str, redis_client: "redis.Redis"
) -> None:
    sender, listener = Recorder(), redis_client.pubsub()  # type: ignore[no-untyped-call]
    listener.subscribe(f"{PREFIX}__group__run.{RUN}", f"{PREFIX}__group__runs.{ENV}")
    wait_for(lambda: len(redis_client.pubsub_channels(f"{PREFIX}*")) == 2)
    with running_writer(redis_url, database, hints=factory(redis_url, sender)):
        add_records(redis_client, scheduled(), scheduled("01UNWATCHED", env_id=str(ENV).replace("b", "c")))
        wait_for(lambda: len(sender.sent) == 2)
        version = Run.objects.using(database).get(run_id=RUN).version
        message = {"type": "hint", "run_id": RUN, "version": version}
        assert sender.sent == [(f"run.{RUN}", message), (f"runs.{ENV}", message)]

        sender.sent.clear()
        add_records(redis_client, step("s", 0, "Running"))
        wait_for(lambda: len(sender.sent) == 1)
        assert sender.sent[0][0] == f"run.{RUN}"  # a list does not show steps
    listener.close()


class Broken(Recorder):
    def __init__(self) -> None:
        super().__init__()
        self.tries = 0

    async def group_send(self, group: str, message: dict[str, object]) -> None:
        self.tries += 1
        raise ConnectionError("no layer")


def test_a_broken_layer_does_not_stop_the_writer(
    database: str, redis_url: str, redis_client: "redis.Redis"
) -> None:
    sender, listener = Broken(), redis_client.pubsub()  # type: ignore[no-untyped-call]
    listener.subscribe(f"{PREFIX}__group__run.{RUN}")
    wait_for(lambda: len(redis_client.pubsub_channels(f"{PREFIX}*")) == 1)
    with running_writer(redis_url, database, hints=factory(redis_url, sender)):
        add_records(redis_client, scheduled())
        wait_for(lambda: sender.tries == 1)
        add_records(redis_client, RunStarted(RUN, 5))
        wait_for(lambda: sender.tries == 2)
    assert Run.objects.using(database).get(run_id=RUN).started_at == 5
    listener.close()


async def test_nothing_is_sent_when_nobody_listens(redis_url: str) -> None:
    sender = Recorder()

    async def lookup(run_ids: list[str]) -> dict[str, str]:
        raise AssertionError("no list is shown, so no environment is needed")

    listeners = RedisListeners(RedisClient(redis_url), PREFIX)
    hints = Hints(sender, listeners, lookup)
    hints.add([RUN], [RUN], 7)
    publishing = asyncio.create_task(hints.run())
    for _ in range(20):
        assert await listeners.groups() == set()
    publishing.cancel()
    await asyncio.gather(publishing, return_exceptions=True)
    assert sender.sent == []
