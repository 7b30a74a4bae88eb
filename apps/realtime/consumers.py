"""`/ws/live`, below the place of the page: one connection per browser tab, many topics
(`apps.realtime.topics`).

From the browser: {"subscribe": [topic, ...]} and {"unsubscribe": [topic, ...]}.
To the browser: {"subscribed": [...], "refused": [...]} and, at most every 250 ms,
{"changed": [topic, ...]}. Hints carry no data: whoever gets one asks the page's URL again.
"""

import asyncio
import json
import logging
from time import monotonic
from typing import Any, Final, cast

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from apps.realtime.access import RECHECK_SECONDS, Listener
from apps.realtime.origin import is_same_origin
from apps.realtime.topics import Topic, parse_topic

COALESCE_SECONDS: Final = 0.25
MAX_TOPICS: Final = 50
MAX_MESSAGE_CHARACTERS: Final = 8192
FORBIDDEN_ORIGIN: Final = 4403
BAD_MESSAGE: Final = 4400
SESSION_OVER: Final = 4401

logger = logging.getLogger(__name__)


class LiveConsumer(AsyncWebsocketConsumer):
    topics: dict[str, Topic]
    changed: set[str]
    flush: asyncio.TimerHandle | None
    sending: set[asyncio.Task[None]]
    watch: asyncio.Task[None] | None
    listener: Listener
    checked_at: float

    async def connect(self) -> None:
        self.topics, self.changed, self.flush, self.sending = {}, set(), None, set()
        self.watch = None
        self.listener, self.checked_at = Listener(cast("dict[str, Any]", self.scope)), monotonic()
        if not is_same_origin(self.scope["headers"]):
            await self.close(code=FORBIDDEN_ORIGIN)
            return
        await self.accept()
        self.watch = asyncio.ensure_future(self._end_with_session())

    async def disconnect(self, code: int) -> None:
        for timer in (self.flush, self.watch):
            if timer is not None:
                timer.cancel()
        for name in self.topics:
            await self.channel_layer.group_discard(name, self.channel_name)

    async def _end_with_session(self) -> None:
        """Whoever is not signed in any more, or has been idle for too long, has no connection either. Looking
        is no use of the session."""
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            try:
                lasts = await self.listener.lasts()
            except DatabaseError:
                logger.warning("a live connection's session could not be looked at", exc_info=True)
                continue
            if not lasts:
                await self.close(code=SESSION_OVER)
                return

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        request = _parse(text_data)
        if request is None:
            await self.close(code=BAD_MESSAGE)
            return
        for name in request["unsubscribe"]:
            await self._leave(name)
        if request["subscribe"]:
            joined = {name: await self._join(name) for name in request["subscribe"]}
            await self._send(
                subscribed=[name for name, is_joined in joined.items() if is_joined],
                refused=[name for name, is_joined in joined.items() if not is_joined],
            )

    async def _join(self, name: str) -> bool:
        if name in self.topics:
            return True
        topic = parse_topic(name)
        if topic is None or len(self.topics) >= MAX_TOPICS or not await self.listener.may_listen(topic):
            return False
        self.topics[name] = topic
        await self.channel_layer.group_add(name, self.channel_name)
        return True

    async def _leave(self, name: str) -> None:
        if self.topics.pop(name, None) is not None:
            await self.channel_layer.group_discard(name, self.channel_name)

    async def hint(self, message: dict[str, str | int]) -> None:
        """The history writer stored something of `run_id`."""
        run_id = str(message["run_id"])
        self.changed.update(name for name, topic in self.topics.items() if topic.is_about(run_id))
        if self.changed and self.flush is None:
            self.flush = asyncio.get_running_loop().call_later(COALESCE_SECONDS, self._flush_soon)

    def _flush_soon(self) -> None:
        self.flush = None
        task = asyncio.ensure_future(self._tell(frozenset(self.changed)))
        self.changed.clear()
        self.sending.add(task)
        task.add_done_callback(self.sending.discard)

    async def _tell(self, changed: frozenset[str]) -> None:
        """Of what the person may still see."""
        if monotonic() - self.checked_at > RECHECK_SECONDS:
            await self._check_again()
        if still := sorted(changed & self.topics.keys()):
            await self._send(changed=still)

    async def _check_again(self) -> None:
        self.checked_at = monotonic()
        lost = [name for name, topic in self.topics.items() if not await self.listener.may_listen(topic)]
        for name in lost:
            await self._leave(name)
        if lost:
            await self._send(refused=lost)

    async def _send(self, **lists: list[str]) -> None:
        await self.send(text_data=json.dumps(lists))


def _parse(text: str | None) -> dict[str, list[str]] | None:
    """The two lists of a message; None for anything else."""
    if text is None or len(text) > MAX_MESSAGE_CHARACTERS:
        return None
    try:
        message = json.loads(text)
    except ValueError:
        return None
    if not isinstance(message, dict):
        return None
    lists = {key: message.get(key, []) for key in ("subscribe", "unsubscribe")}
    return lists if all(_is_list_of_text(value) for value in lists.values()) else None


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
