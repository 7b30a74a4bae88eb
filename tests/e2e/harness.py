"""`Stepwell`: what the tests ask of a running platform, all of it over its public interfaces.

`redis` is for deep assertions only. Times are in seconds unless a name says otherwise.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import redis

from tests.e2e.server_process import ServerProcess
from tests.e2e.waiting import wait_until

Json = dict[str, Any]

ENDED = frozenset({"Completed", "Failed", "Cancelled"})
SHARD_PREFIX = "{q:0}"


class Stepwell:
    def __init__(self, server: ServerProcess, *, event_key: str = "test", signing_key: str = "") -> None:
        self.server = server
        self.base_url = server.base_url
        self.event_key = event_key
        self.signing_key = signing_key
        self.redis: redis.Redis = redis.Redis.from_url(server.redis_url, decode_responses=True)
        authorization = {"Authorization": f"Bearer {signing_key}"} if signing_key else {}
        self.http = httpx.Client(base_url=self.base_url, headers=authorization, timeout=30)

    def close(self) -> None:
        self.http.close()
        self.redis.close()
        self.server.stop()

    # Events

    def send(
        self,
        name: str,
        data: Json | None = None,
        *,
        id: str | None = None,  # noqa: A002 the name of the member of the event
        ts: int | None = None,
        user: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Send one event; its internal id."""
        event = {"name": name, "data": data or {}, "id": id, "ts": ts, "user": user}
        return self.send_many([event], headers=headers)[0]

    def send_many(
        self, events: Sequence[Mapping[str, Any]], *, headers: Mapping[str, str] | None = None
    ) -> list[str]:
        """Send a batch, without the members that are None; the internal ids in order."""
        body = [{key: value for key, value in event.items() if value is not None} for event in events]
        answer = self.http.post(f"/e/{self.event_key}", json=body, headers=dict(headers or {}))
        assert answer.status_code == 200, answer.text
        ids: list[str] = answer.json()["ids"]
        return ids

    # Runs

    def runs(self, event_id: str) -> list[Json]:
        """GET /v1/events/{id}/runs: what the event has started."""
        answer = self.http.get(f"/v1/events/{event_id}/runs")
        assert answer.status_code == 200, answer.text
        items: list[Json] = answer.json()["data"]
        return items

    def run(self, run_id: str) -> Json:
        """GET /v1/runs/{id}."""
        answer = self.http.get(f"/v1/runs/{run_id}")
        assert answer.status_code == 200, answer.text
        item: Json = answer.json()["data"]
        return item

    def cancel(self, run_id: str) -> None:
        answer = self.http.delete(f"/v1/runs/{run_id}")
        assert answer.status_code == 200, answer.text

    def wait_for_run(
        self,
        event_id: str,
        *,
        status: str = "Completed",
        timeout: float = 15,
        function: str | None = None,
    ) -> Json:
        """The event's run (of the function with that slug) once it has `status`.

        Fails at once when the run ends otherwise, and tells the run.
        """
        function_id = self.function_id(function) if function else None
        seen: list[Json] = []

        def find() -> Json | None:
            seen[:] = [run for run in self.runs(event_id) if function_id in (None, str(run["function_id"]))]
            for run in seen:
                if run["status"] == status:
                    return run
                if run["status"] in ENDED:
                    raise AssertionError(f"Expected {status}, but: {json.dumps(run, indent=2)}")
            return None

        return wait_until(
            find, timeout, lambda: f"Event {event_id} has the runs {json.dumps(seen, indent=2)}"
        )

    def wait_for_runs(
        self, event_id: str, count: int, *, status: str = "Completed", timeout: float = 15
    ) -> list[Json]:
        """All runs of the event, once there are `count` of them with `status`."""

        def find() -> list[Json] | None:
            runs = self.runs(event_id)
            ended = [run for run in runs if run["status"] == status]
            return runs if len(ended) == count else None

        return wait_until(find, timeout, lambda: json.dumps(self.runs(event_id), indent=2))

    def wait_for_pause(self, event_id: str, count: int = 1, timeout: float = 15) -> str:
        """The id of the event's only run, once it waits in `count` places (events, signals, invocations)."""

        def find() -> str | None:
            for run in self.runs(event_id):
                if self.redis.scard(f"{SHARD_PREFIX}:rp:{run['run_id']}") == count:
                    return str(run["run_id"])
            return None

        return wait_until(find, timeout, lambda: json.dumps(self.runs(event_id), indent=2))

    def wake(self, run_id: str) -> None:
        """Let the run's sleeps and retries fall due now, instead of waiting for them."""
        jobs = self.redis.smembers(f"{SHARD_PREFIX}:jobs:{run_id}")
        for job in jobs:
            self.redis.zadd(f"{SHARD_PREFIX}:timers", {str(job): 0}, xx=True)
        self.redis.lpush(f"{SHARD_PREFIX}:tick", "1")

    # Apps and functions

    def sync(self, app_url: str) -> httpx.Response:
        """PUT to the app, as a deploy hook does: the app then registers itself."""
        return httpx.put(app_url, timeout=30)

    def connect(self, app_url: str) -> None:
        """Sync as each kind of server does: an app in cloud mode only trusts a signed ping of the server."""
        if self.signing_key:
            record = self.sync_by_server(app_url)
            assert record["connected"], record
        else:
            answer = self.sync(app_url)
            assert answer.status_code == 200, answer.text

    def sync_by_server(self, app_url: str) -> Json:
        """Let the server ping the app: the app's record, with `connected`, `error` and its functions."""
        data = self.gql(
            "mutation ($url: String!) { createApp(input: {url: $url}) "
            "{ id name url error connected functionCount } }",
            {"url": app_url},
        )
        record: Json = data["createApp"]
        return record

    def functions(self, app_id: str) -> list[Json]:
        """GET /v1/apps/{id}/functions: those of the current sync, each with its `id` (slug) and config."""
        answer = self.http.get(f"/v1/apps/{app_id}/functions")
        assert answer.status_code == 200, answer.text
        items: list[Json] = answer.json()
        return items

    def function_id(self, slug: str) -> str:
        """The UUID of a registered function."""
        data = self.gql(
            "query ($slug: String!) { functionBySlug(query: {functionSlug: $slug}) { id } }", {"slug": slug}
        )
        found = data["functionBySlug"]
        assert found, f"No function {slug}"
        return str(found["id"])

    def gql(self, query: str, variables: Json | None = None) -> Json:
        """The `data` of a GraphQL answer; fails on any error in it."""
        answer = self.http.post("/v0/gql", json={"query": query, "variables": variables or {}})
        body = answer.json()
        assert not body.get("errors"), json.dumps(body["errors"], indent=2)
        data: Json = body["data"]
        return data

    # Failures

    def log_tail(self, lines: int = 80) -> str:
        return self.server.process.log_tail(lines)
