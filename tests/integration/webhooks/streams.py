"""What is in the event stream. The shard is the default one: services reach it through the engine's bridge,
which keeps its connection from test to test."""

from typing import cast

import redis

from apps.engine.event_stream import EventEntry, parse_entry
from apps.engine.keys import Keys

STREAM = Keys("0").events


def stored(client: redis.Redis) -> list[EventEntry]:
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(STREAM))
    return [parse_entry(fields) for _, fields in entries]
