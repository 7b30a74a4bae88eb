"""An end to what is taken too long over: a timeout of a socket begins anew with each byte that comes."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_thread = threading.local()


class Watch:
    """The connections that this thread has made since it began. Once it `is_over` they are shut."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self.is_over = False

    def add(self, connection: socket.socket) -> None:
        """By a descriptor of its own, which TLS leaves alone."""
        with self._lock:
            self._connections.append(connection.dup())
        if self.is_over:
            self.end()

    def end(self) -> None:
        self.is_over = True
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def forget(self) -> None:
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()


@contextmanager
def for_at_most(seconds: float) -> Iterator[Watch]:
    """Not to be nested."""
    watch = _thread.watch = Watch()
    timer = threading.Timer(seconds, watch.end)
    timer.daemon = True
    timer.start()
    try:
        yield watch
    finally:
        timer.cancel()
        watch.forget()
        _thread.watch = None


def current() -> Watch | None:
    found: Watch | None = getattr(_thread, "watch", None)
    return found
