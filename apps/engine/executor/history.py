"""History records that belong to no commit: a run began, a request is under way.

They are gathered for one turn of the event loop and leave in one entry. They only colour the live
view, so that a crash may lose them: the commit that follows says the same again.
"""

import asyncio
import logging

from apps.engine.keys import Keys
from apps.engine.records import AnyRecord, encode_records
from apps.engine.store.client import RedisClient, RedisUnavailable

logger = logging.getLogger(__name__)


class HistoryBuffer:
    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._stream = keys.history
        self._records: list[AnyRecord] = []
        self._sending: set[asyncio.Task[None]] = set()

    def add(self, record: AnyRecord) -> None:
        if not self._records:
            asyncio.get_running_loop().call_soon(self._flush)
        self._records.append(record)

    def _flush(self) -> None:
        records, self._records = self._records, []
        task = asyncio.ensure_future(self._send(records))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, records: list[AnyRecord]) -> None:
        try:
            await self._client.execute("XADD", self._stream, "*", "d", encode_records(records))
        except RedisUnavailable as exc:
            logger.info("%d records of the live view are lost: %s", len(records), exc)
