"""A small HTTP server on loopback that answers as an app would."""

import http.server
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple


class Received(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""


class LocalApp:
    def __init__(self, port: int) -> None:
        self.port = port
        self.received: list[Received] = []
        self.reply: Callable[[Received], Reply] = lambda _: Reply()

    def url(self, path: str = "/api/inngest", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, 0), _Handler)
        self.app = LocalApp(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up is no news to a test."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.command, self.path, headers, body)
        self.server.app.received.append(received)
        reply = self.server.app.reply(received)
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_PUT = _answer

    def log_request(self, code: object = "-", size: object = "-") -> None:
        pass


@contextmanager
def local_app(host: str = "127.0.0.1") -> Iterator[LocalApp]:
    with _Server(host) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.app
        finally:
            server.shutdown()
            thread.join()
