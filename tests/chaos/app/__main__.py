"""The app under the platform: speaks the SDK protocol (spec 01) and writes down every call.

python -m tests.chaos.app --port 9000 --journal calls.jsonl
"""

import argparse
import asyncio
import itertools
import random
import time
from pathlib import Path

import orjson
from aiohttp import web

from tests.chaos.app import functions
from tests.chaos.app.functions import Json, Reply, Request
from tests.chaos.records import Answer, Call, Journal

SDK_HEADERS = {"x-inngest-sdk": "js:v3.54.0", "x-inngest-req-version": "2", "x-inngest-framework": "chaos"}
# Long enough that a kill meets calls under way, short enough for a few hundred runs.
_LONGEST_CALL_SECONDS = 0.1


class App:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._numbers = itertools.count(1)

    async def handle(self, request: web.Request) -> web.Response:
        function = request.query["fnId"].removeprefix(f"{functions.APP}-")
        step = request.query["stepId"]
        body = orjson.loads(await request.read())
        call = self._written_down(function, "" if step == "step" else step, body)
        await asyncio.sleep(random.uniform(0, _LONGEST_CALL_SECONDS))
        reply = functions.reply_to(function, call)
        self._journal.add(Answer(call.number, time.time(), reply.kind, reply.step, _is_connected(request)))
        return _response(reply)

    def _written_down(self, function: str, target: str, body: Json) -> Request:
        context = body["ctx"]
        memos = {step: _executed_by(memo) for step, memo in body["steps"].items()}
        n = body["event"]["data"]["n"]
        number, attempt = next(self._numbers), context["attempt"]
        identity = (context["job_id"], context["generation_id"], attempt)
        self._journal.add(Call(number, time.time(), function, context["run_id"], n, target, *identity, memos))
        return Request(number, n, target, attempt, not context["disable_immediate_execution"], memos)


def _executed_by(memo: Json | None) -> int:
    """Only results of steps with code tell; a sleep, an event and an invoked run's result do not."""
    data = (memo or {}).get("data") or {}
    number: int = data.get("by", 0)
    return number


def _is_connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _response(reply: Reply) -> web.Response:
    body = orjson.dumps(reply.body)
    return web.Response(
        status=reply.status, body=body, headers={**SDK_HEADERS, "content-type": "application/json"}
    )


async def _introspect(_: web.Request) -> web.Response:
    return web.json_response({"message": "ok"}, headers=SDK_HEADERS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--journal", type=Path, required=True)
    arguments = parser.parse_args()
    app = web.Application()
    app.router.add_post("/api/inngest", App(Journal(arguments.journal)).handle)
    app.router.add_get("/api/inngest", _introspect)
    web.run_app(app, host="127.0.0.1", port=arguments.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
