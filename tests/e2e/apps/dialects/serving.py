"""The HTTP server of a double: its SDK at /api/inngest, and what the harness asks for."""

import json
import os
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from tests.e2e.apps.dialects.recorder import recorder
from tests.e2e.apps.dialects.wire import CallRequest, Reply, compact

SERVE_PATH = "/api/inngest"
_RECORDED_HEADERS = (
    *("x-run-id", "x-request-id", "x-inngest-job-id", "x-inngest-generation-id", "x-inngest-step-id"),
    *("x-inngest-req-version", "x-inngest-server-kind", "content-type"),
)

# A reply that streams: status, headers and the chunks of its body.
Stream = tuple[int, dict[str, str], Iterator[bytes]]


class Dialect(Protocol):
    """What an SDK does with a request. `body` is raw; header names are lower-case."""

    def introspect(self, headers: Mapping[str, str]) -> Reply: ...

    def sync(self, headers: Mapping[str, str], body: bytes) -> Reply: ...

    def call(self, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Reply | Stream: ...


def record_request(call: CallRequest, query: Mapping[str, str], headers: Mapping[str, str]) -> None:
    """One entry with the label `request` for each call request that was let in."""
    recorder.add(
        call.key,
        "request",
        query=dict(query),
        target=call.target,
        ctx=call.context,
        event=call.event,
        events=call.body["events"],
        version=call.body["version"],
        memos=sorted(call.memos),
        headers={name: headers[name] for name in _RECORDED_HEADERS if name in headers},
    )


def app_url() -> str:
    return f"http://127.0.0.1:{os.environ['PORT']}{SERVE_PATH}"


def serve(dialect: Dialect) -> None:
    """Serve at the port of `PORT` until the process ends."""

    class Handler(_Handler):
        sdk = dialect

    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for headers and body
    sdk: Dialect

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/_calls":
            self._send(Reply(200, compact(recorder.all())))
        elif path == SERVE_PATH:
            self._send(self.sdk.introspect(self._headers()))
        else:
            self._send(Reply(404))

    def do_PUT(self) -> None:
        self._send(self.sdk.sync(self._headers(), self._body()))

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        body = self._body()
        if parts.path == "/_reset":
            recorder.clear()
            self._send(Reply(204))
        elif parts.path.startswith("/outside/"):
            self._send(_outside(parts.path, self._headers(), body))
        else:
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            self._answer(self.sdk.call(query, self._headers(), body))

    def _answer(self, answer: Reply | Stream) -> None:
        if isinstance(answer, Reply):
            self._send(answer)
            return
        status, headers, chunks = answer
        self._start(status, {**headers, "Transfer-Encoding": "chunked"})
        for chunk in chunks:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _send(self, reply: Reply) -> None:
        self._start(reply.status, {**reply.headers, "Content-Length": str(len(reply.body))})
        self.wfile.write(reply.body)

    def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))


def _outside(path: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """A foreign service that `step.fetch` and `step.ai.infer` call: it tells what it got."""
    seen = {"path": path, "authorization": headers.get("authorization"), "body": json.loads(body)}
    status = int(path.rpartition("/")[2])
    return Reply(status, compact(seen), {"Content-Type": "application/json", "X-Outside": "yes"})
