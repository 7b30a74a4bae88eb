"""The FastAPI app: most functions of the suite. `STREAMING=1` answers all calls as streams."""

import os
from collections.abc import Awaitable, Callable

import fastapi
import inngest
import inngest.fast_api
import uvicorn
from clients import client
from functions import errors, flow, hooks, invokes, lifecycle, parallel, steps, triggers, waits
from recorder import recorder

MODULES = (steps, errors, parallel, waits, invokes, lifecycle, triggers, flow, hooks)

app = fastapi.FastAPI()


@app.middleware("http")
async def keep_requests(
    request: fastapi.Request, call_next: Callable[[fastapi.Request], Awaitable[fastapi.Response]]
) -> fastapi.Response:
    if request.method == "POST" and "fnId" in request.query_params:
        recorder.add_request(request.query_params["stepId"], await request.body())
    return await call_next(request)


@app.get("/_calls")
async def calls() -> list[dict[str, object]]:
    return recorder.calls()


@app.get("/_requests")
async def requests() -> list[dict[str, object]]:
    return recorder.requests()


@app.post("/_reset")
async def reset() -> None:
    recorder.clear()


inngest.fast_api.serve(app, client, [function for module in MODULES for function in module.FUNCTIONS])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="info")
