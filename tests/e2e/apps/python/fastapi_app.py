"""The FastAPI app: most functions of the suite."""

import os

import fastapi
import inngest.fast_api
import steps
import uvicorn
from clients import client
from recorder import recorder

app = fastapi.FastAPI()


@app.get("/_calls")
async def calls() -> list[dict[str, object]]:
    return recorder.all()


@app.post("/_reset")
async def reset() -> None:
    recorder.clear()


inngest.fast_api.serve(app, client, [*steps.FUNCTIONS])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="info")
