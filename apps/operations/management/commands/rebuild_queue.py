"""`manage.py rebuild_queue`: the queue from the database, after Redis has lost it (docs/ARCHITECTURE.md).

On a queue that is whole it changes nothing, so that it may be run at any time, and twice.
Exit codes: 0; 1 when history could not be brought up to date first; 3 while Redis is away.
"""

import asyncio
import os
import sys
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from apps.engine.bridge import flow_policy
from apps.engine.engine import Engine
from apps.engine.recovery.epoch import Epoch
from apps.engine.runner.ownership import Ownership
from apps.engine.store.client import RedisUnavailable
from apps.registry.services.publication import republish_all
from apps.runs.history.writer import HistoryWriter
from apps.runs.recovery.drained import HistoryBehind
from apps.runs.recovery.reading import History
from apps.runs.recovery.rebuild import Rebuilder, Report
from apps.runs.recovery.thread import DatabaseThread
from apps.tenancy.services import publish_all_shares

BEHIND: Final = 1
UNREACHABLE: Final = 3


class Command(BaseCommand):
    help = "Put every run that has not ended back into the queue, from the database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only tell what would be put back")

    def handle(self, *args: object, **options: Any) -> None:
        is_dry: bool = options["dry_run"]
        try:
            if not is_dry:
                republish_all()
                publish_all_shares()
            report = asyncio.run(_rebuild(dry_run=is_dry))
        except HistoryBehind as problem:
            self._give_up(str(problem), BEHIND)
        except RedisUnavailable as problem:
            self._give_up(f"Redis is not reachable: {problem}", UNREACHABLE)
        else:
            self.stdout.write(f"{'would be: ' if is_dry else ''}{report}")

    def _give_up(self, problem: str, code: int) -> None:
        self.stderr.write(f"Error: {problem}")
        sys.exit(code)


async def _rebuild(*, dry_run: bool) -> Report:
    """History is written meanwhile, since there may be no scheduler to do so."""
    stop = asyncio.Event()
    writing = asyncio.ensure_future(HistoryWriter(consumer=f"rebuild-{os.getpid()}").run(stop))
    engine = await Engine.connect(settings.REDIS_URL, settings.STEPWELL_SHARD, flow_policy())
    thread = DatabaseThread()
    try:
        return await _confirmed(engine, thread, dry_run=dry_run)
    finally:
        await thread.close()
        stop.set()
        await writing
        await engine.close()


async def _confirmed(engine: Engine, thread: DatabaseThread, *, dry_run: bool) -> Report:
    rebuilder = Rebuilder(engine, History(settings.STEPWELL_SHARD), thread, flow_policy())
    if dry_run:
        return await rebuilder.rebuild(dry_run=True)
    epoch, token = Epoch(engine.client, engine.keys), os.urandom(8).hex()
    # Where a scheduler is at work, what was held back is its part: two would hold it back twice.
    ownership = Ownership(engine.client, f"{engine.keys.prefix}:owner:recovery")
    is_alone = await ownership.acquire()
    keeping = asyncio.ensure_future(ownership.keep(asyncio.Event()))
    try:
        was_emptied = is_alone and not await epoch.is_set()
        await epoch.begin(token)
        report = await rebuilder.rebuild(was_emptied=was_emptied)
        await epoch.confirm(token)
        return report
    finally:
        keeping.cancel()
        await ownership.release()
