"""Where local apps listen: the ports and paths that discovery tries (spec 01 12.3)."""

import socket
from collections.abc import Iterable
from typing import Final

PORTS: Final = (
    80,
    443,
    *range(3000, 3011),
    4321,
    5000,
    5173,
    8000,
    8080,
    8081,
    8787,
    8888,
    *range(8910, 8916),
)
PATHS: Final = (
    "/api/inngest",
    "/x/inngest",
    "/.netlify/functions/inngest",
    "/.redwood/functions/inngest",
)
_LOOPBACK: Final = ("127.0.0.1", "::1")
_CONNECT_SECONDS: Final = 0.25


def open_ports(ports: Iterable[int]) -> list[int]:
    """The ports on which something accepts connections on this machine, IPv4 or IPv6."""
    return [port for port in ports if any(accepts(host, port) for host in _LOOPBACK)]


def accepts(host: str, port: int) -> bool:
    """Whether a plain connection succeeds; a refusal costs microseconds."""
    try:
        with socket.create_connection((host, port), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False
