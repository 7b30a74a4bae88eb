"""POST /v1/signals (spec 03, 4.6)."""

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.rest.answers import enveloped
from apps.api.rest.base import RestView
from apps.api.rest.errors import PublicError
from apps.engine import bridge
from apps.engine.protocol.raw_json import NOT_JSON
from apps.tenancy.permissions import Permission


class Signal(msgspec.Struct):
    signal: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


_decoder = msgspec.json.Decoder(Signal)


class SignalsView(RestView):
    permissions = {"POST": Permission.EVENT_SEND}

    def post(self, request: Request) -> Response:
        sent = _parse(request.body)
        env_id = str(self.environment_id)
        run_id = bridge.engine_call(lambda engine: engine.send_signal(env_id, sent.signal, bytes(sent.data)))
        if run_id is None:
            raise PublicError(404, "No signal found")
        return enveloped({"run_id": run_id})


def _parse(body: bytes) -> Signal:
    try:
        sent = _decoder.decode(body)
    except NOT_JSON:
        raise PublicError(400, "Invalid signal data") from None
    if not sent.signal:
        raise PublicError(400, "Failed to receive signal")
    return sent
