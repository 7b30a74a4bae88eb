"""The web process: uvicorn on a socket that the supervisor opened."""

import argparse
import socket

import uvicorn

from apps.devserver.listener import BACKLOG

# Open pages hold WebSockets and must not hold up the end of the process.
_GRACEFUL_SECONDS = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--application", required=True, help="ASGI application, as module:name")
    parser.add_argument("--socket", required=True, type=int, help="descriptor of the listening socket")
    parser.add_argument("--log-level", default="warning")
    arguments = parser.parse_args()
    config = uvicorn.Config(
        arguments.application,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        access_log=False,
        log_level=arguments.log_level,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=_GRACEFUL_SECONDS,
    )
    with socket.socket(fileno=arguments.socket) as listener:
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
