"""Go's checkpoint client: batches of steps, the raw signing key, no generation (spec 04 4.18)."""

import time

import httpx

from tests.e2e.apps.dialects import server_api
from tests.e2e.apps.dialects.recorder import recorder
from tests.e2e.apps.dialects.wire import CallRequest, Json, compact
from tests.e2e.apps.go import settings


class Checkpoints:
    """`is_on` for a discovery of a function that has the option, while the server does not plan."""

    def __init__(self, call: CallRequest, options: Json | None) -> None:
        ctx = call.context
        self._call = call
        self._batch = int((options or {}).get("batch_steps", 1))
        self.is_on = bool(options) and not call.target and not ctx["disable_immediate_execution"]
        self.pending: list[Json] = []

    def add(self, op: Json) -> None:
        self.pending.append(op)
        if len(self.pending) >= self._batch:
            self.flush()

    def flush(self) -> None:
        """Post what is buffered; it stays for the answer's body where the server refuses."""
        if self.pending and self._post().status_code == 200:
            self.pending = []

    def _post(self) -> httpx.Response:
        ctx = self._call.context
        body = {
            "run_id": ctx["run_id"],
            "fn_id": ctx["fn_id"],
            "qi_id": ctx["qi_id"],
            "steps": self.pending,
            "ts": int(time.time() * 1000),
        }
        path = f"/v1/checkpoint/{ctx['run_id']}/async"
        headers = {"Content-Type": "application/json"}
        if settings.SIGNING_KEY:
            headers["Authorization"] = f"Bearer {settings.SIGNING_KEY}"
        answer = server_api.post(settings.CHECKPOINT_URL, path, compact(body), headers)
        recorder.add(self._call.key, "checkpoint", status=answer.status_code, steps=len(self.pending))
        return answer
