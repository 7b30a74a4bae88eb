"""The web socket. The supervisor owns it: while web restarts, new connections wait instead of failing."""

import errno
import socket

from apps.devserver.errors import StartError

BACKLOG = 2048
_ANY = ("", "0.0.0.0", "::")  # noqa: S104 the names of "every interface"


def open_listener(host: str, port: int) -> socket.socket:
    """A listening socket; an empty host is every interface, IPv6 and IPv4; port 0 takes a free one."""
    try:
        return _listen(host, port)
    except OSError as problem:
        raise StartError(_explain(host, port, problem)) from None


def _listen(host: str, port: int) -> socket.socket:
    if host in ("", "::") and socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True)
    family, _, _, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    return socket.create_server(address[:2], family=family, backlog=BACKLOG)


def _explain(host: str, port: int, problem: OSError) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"Port {port} is already in use; choose another one with --port (0 takes a free one)"
    return f"Cannot listen on {host or 'every interface'}, port {port}: {problem.strerror or problem}"


def local_host(host: str) -> str:
    """The address to reach this listener at from this machine."""
    return "127.0.0.1" if host in _ANY else host


def public_url(host: str, port: int) -> str:
    """What a person opens in a browser on this machine."""
    shown = local_host(host)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
