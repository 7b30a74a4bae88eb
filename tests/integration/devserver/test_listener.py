"""The web socket that the supervisor owns."""

import socket

import pytest

from apps.devserver.errors import StartError
from apps.devserver.listener import local_host, open_listener, public_url


def test_every_interface_is_both_families() -> None:
    with open_listener("", 0) as listener:
        port = listener.getsockname()[1]
        for address in ("127.0.0.1", "::1") if socket.has_dualstack_ipv6() else ("127.0.0.1",):
            with socket.create_connection((address, port), timeout=5) as connection:
                assert connection.getpeername()[1] == port


def test_one_address() -> None:
    with open_listener("127.0.0.1", 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("host", ["", "127.0.0.1"])
def test_a_taken_port_is_one_sentence(host: str) -> None:
    with open_listener(host, 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(StartError) as caught:
            open_listener(host, port)
    assert (
        str(caught.value)
        == f"Port {port} is already in use; choose another one with --port (0 takes a free one)"
    )


def test_an_address_of_another_machine() -> None:
    with pytest.raises(StartError, match=r"^Cannot listen on 192\.0\.2\.1, port 8288: "):
        open_listener("192.0.2.1", 8288)


@pytest.mark.parametrize(
    ("host", "local", "url"),
    [
        ("", "127.0.0.1", "http://127.0.0.1:1"),
        ("0.0.0.0", "127.0.0.1", "http://127.0.0.1:1"),
        ("::1", "::1", "http://[::1]:1"),
        ("stepwell.test", "stepwell.test", "http://stepwell.test:1"),
    ],
)
def test_how_this_machine_reaches_it(host: str, local: str, url: str) -> None:
    assert (local_host(host), public_url(host, 1)) == (local, url)
