"""Identity providers that answer badly: tenants choose them, and what they do must hold up nobody else."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from pytest_django.fixtures import Settings

from apps.signin.sso import egress

DRIPS = 300
PAUSE_SECONDS = 0.1
WAIT_SECONDS = 20.0


class Dripping:
    """Sends `head` and then a byte at a time, so that no single read takes long."""

    def __init__(self, head: bytes) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._head = head
        self.is_left = threading.Event()  # the client has closed its end
        self._stop = threading.Event()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(WAIT_SECONDS)
        self._listener.close()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.recv(65_536)
            try:
                connection.sendall(self._head)
                for _ in range(DRIPS):
                    if self._stop.wait(PAUSE_SECONDS):
                        return
                    connection.sendall(b"x")
            except OSError:
                self.is_left.set()


@contextmanager
def dripping(head: bytes) -> Iterator[Dripping]:
    server = Dripping(head)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(autouse=True)
def _private(settings: Settings) -> None:
    settings.STEPWELL_ALLOW_PRIVATE_NETWORKS = True


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    ],
    ids=["headers", "a body of known length", "a body that ends with its connection"],
)
def test_a_provider_that_answers_byte_by_byte_is_left(monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    """A request waits for it with a thread and a connection of the database."""
    monkeypatch.setattr(egress, "TOTAL_SECONDS", 0.5)
    with dripping(head) as server:
        with pytest.raises(egress.AnswerTooSlow):
            egress.session().get(server.url)
        assert server.is_left.wait(WAIT_SECONDS)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["no gzip", "cut short", "no chunk"],
)
def test_an_answer_that_makes_no_sense_is_a_failure_of_the_provider(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(requests.ConnectionError):
            egress.session().get(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join(WAIT_SECONDS)
