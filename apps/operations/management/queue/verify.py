"""`manage.py queue verify`: whether the queue is as it must be, all of it, now.

Exit codes: 0; 1 when something is wrong that was not repaired; 3 while Redis is away.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.core.management.base import CommandParser, OutputWrapper

from apps.engine.keys import Keys
from apps.engine.recovery.verification import COUNTED_ONLY, Verifier
from apps.engine.store.client import RedisClient
from apps.operations.management.queue.tables import table

HELP: Final = "Check that the queue is as it must be; with --repair, put right what is not."
WRONG: Final = 1


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("--repair", action="store_true", help="put right what is wrong, and count it")


def run(out: OutputWrapper, err: OutputWrapper, options: Mapping[str, Any]) -> int:
    is_repaired: bool = options["repair"]
    found = asyncio.run(_verify(repair=is_repaired))
    if not found:
        out.write("Everything is as it must be.")
        return 0
    rows = [
        (kind, count, "repaired" if _is_done(kind, is_repaired) else "")
        for kind, count in sorted(found.items())
    ]
    out.write(table(("VIOLATION", "COUNT", ""), rows))
    return 0 if all(_is_done(kind, is_repaired) for kind in found) else WRONG


async def _verify(*, repair: bool) -> Counter[str]:
    client = await RedisClient.connect(settings.REDIS_URL)
    try:
        return await Verifier(client, Keys(settings.STEPWELL_SHARD)).check_everything(repair=repair)
    finally:
        await client.close()


def _is_done(kind: str, is_repaired: bool) -> bool:
    return is_repaired and kind not in COUNTED_ONLY
