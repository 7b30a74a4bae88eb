"""No SDK at all: a web server that answers what `/_answer` told it to, as a proxy before an app would."""

import json
import os

from aiohttp import web

state = {"status": 502, "type": "text/html", "body": "<h1>Bad gateway</h1>", "headers": {}}
calls: list[dict[str, object]] = []


async def answer(request: web.Request) -> web.Response:
    if request.method == "POST":
        body = json.loads(await request.read())
        calls.append(
            {"label": "call", "key": body["event"]["data"]["key"], "attempt": body["ctx"]["attempt"]}
        )
    return web.Response(
        status=state["status"],
        body=state["body"].encode(),
        headers={**state["headers"], "Content-Type": state["type"]},
    )


async def set_answer(request: web.Request) -> web.Response:
    state.update(json.loads(await request.read()))
    return web.Response()


async def list_calls(request: web.Request) -> web.Response:
    return web.json_response(calls)


async def ready(request: web.Request) -> web.Response:
    """Stands for the SDK while the harness looks for one."""
    return web.Response(headers={"X-Inngest-SDK": "none"})


app = web.Application()
app.router.add_get("/api/inngest", ready)
app.router.add_post("/api/inngest", answer)
app.router.add_put("/api/inngest", answer)
app.router.add_post("/_answer", set_answer)
app.router.add_get("/_calls", list_calls)

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
