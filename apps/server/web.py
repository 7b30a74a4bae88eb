"""The web process of a server: `python -m apps.server.web [--host ADDRESS] [--port PORT] [--socket FD]`.

Uvicorn with the log lines of the settings, and with the addresses that trusted proxies tell.
"""

import argparse
import os
import signal
import socket
import warnings

import django
import uvicorn

from apps.devserver.listener import BACKLOG, open_listener

# Requests in flight get this long; open pages hold WebSockets, which must not hold up the end.
_GRACEFUL_SECONDS = 5


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
    os.environ.setdefault("STEPWELL_ROLES", "web")
    arguments = _arguments()
    # In a checkout nothing is collected, and the files are found where they are.
    warnings.filterwarnings("ignore", "No directory at", UserWarning)
    django.setup()
    # Uvicorn raises a signal again once it has stopped: that stop was asked for, and no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    with _listener(arguments) as listener:
        uvicorn.Server(configuration()).run(sockets=[listener])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="")
    parser.add_argument("--port", type=int, default=8288)
    parser.add_argument("--socket", type=int, help="descriptor of a listening socket")
    return parser.parse_args()


def _listener(arguments: argparse.Namespace) -> socket.socket:
    if arguments.socket is not None:
        return socket.socket(fileno=arguments.socket)
    return open_listener(arguments.host, arguments.port)


def configuration() -> uvicorn.Config:
    from django.conf import settings

    proxies: list[str] = settings.STEPWELL_TRUSTED_PROXIES
    return uvicorn.Config(
        "config.asgi:application",
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        backlog=BACKLOG,
        timeout_graceful_shutdown=_GRACEFUL_SECONDS,
    )


if __name__ == "__main__":
    main()
