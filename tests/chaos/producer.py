"""Sends events as an SDK does: with a seed for their ids, again and again until they are accepted."""

import asyncio
import base64
import random
import time
from collections.abc import Iterator

import httpx

from tests.chaos.app import functions
from tests.chaos.story import Accepted

_RETRY_SECONDS = 0.05
_GIVE_UP_SECONDS = 120
_LARGEST_BATCH = 3

Event = tuple[str, int]


class Producer:
    """Events are (name, n) with n in `data.n`. `refusals` counts the requests that had to be repeated."""

    def __init__(self, base_url: str, chance: random.Random) -> None:
        self.accepted: list[Accepted] = []
        self.refusals = 0
        self._url = f"{base_url}/e/test"
        self._chance = chance
        self._next_n = 1

    def plan(self, names: list[str]) -> list[Event]:
        """One request of one to three events; no two of this producer have the same n."""
        return list(self._request(names))

    async def send(self, client: httpx.AsyncClient, events: list[Event]) -> None:
        """Send one request until it is accepted. AssertionError when that takes too long."""
        body: list[dict[str, object]] = [
            {"name": name, "data": {"n": n, "key": functions.key_of(n), "pad": "x" * 200}}
            for name, n in events
        ]
        headers = {"x-inngest-event-id-seed": self._seed()}
        deadline = time.monotonic() + _GIVE_UP_SECONDS
        while (ids := await self._try(client, body, headers)) is None:
            assert time.monotonic() < deadline, f"not accepted in {_GIVE_UP_SECONDS} s: {events}"
            self.refusals += 1
            await asyncio.sleep(_RETRY_SECONDS)
        assert len(ids) == len(events), f"{len(events)} events got the ids {ids}"
        now = time.time()
        self.accepted += [Accepted(i, name, n, now) for i, (name, n) in zip(ids, events, strict=True)]

    async def _try(
        self, client: httpx.AsyncClient, body: object, headers: dict[str, str]
    ) -> list[str] | None:
        try:
            answer = await client.post(self._url, json=body, headers=headers)
        except httpx.TransportError:
            return None
        assert answer.status_code in (200, 503), answer.text
        return answer.json()["ids"] if answer.status_code == 200 else None

    def _seed(self) -> str:
        """The same for each try of a request, so that the event keeps its id."""
        return f"{time.time_ns() // 1_000_000},{base64.b64encode(self._chance.randbytes(10)).decode()}"

    def _request(self, names: list[str]) -> Iterator[Event]:
        for _ in range(self._chance.randint(1, _LARGEST_BATCH)):
            yield self._chance.choice(names), self._next_n
            self._next_n += 1
