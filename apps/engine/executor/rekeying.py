"""Gives queued items new keys after the keys of their function have changed (spec 02, 3.6)."""

import logging
from collections.abc import Sequence

import msgspec

from apps.engine.flow.admission import shown_keys
from apps.engine.flow.keys import KeyReader
from apps.engine.flow.leaves import find_leaf
from apps.engine.store.functions import FunctionCache
from apps.engine.store.queue import Queue, Unkeyed

logger = logging.getLogger(__name__)


async def rekey_all(queue: Queue, functions: FunctionCache, items: Sequence[Unkeyed]) -> None:
    """One that fails stays leased, and is given out again when that lease ends."""
    for unkeyed in items:
        try:
            await _rekey(queue, functions, unkeyed)
        except msgspec.DecodeError:
            logger.exception("item %s of run %s has no readable event", unkeyed.item_id, unkeyed.run_id)


async def _rekey(queue: Queue, functions: FunctionCache, unkeyed: Unkeyed) -> None:
    spec = functions.get(unkeyed.function_id)
    reader = KeyReader(lambda: msgspec.json.decode(unkeyed.events)[0])
    leaf = find_leaf(spec, reader) if spec else None
    if leaf is None:
        await queue.rekey(unkeyed, "", "", "", "")
    else:
        await queue.rekey(unkeyed, leaf.version, leaf.name, leaf.gates, shown_keys(reader))
