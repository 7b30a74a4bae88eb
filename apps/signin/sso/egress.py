"""Requests to identity providers: their addresses are a tenant's input, so the policy of
apps/engine/calls/addresses.py decides about each, after DNS has answered and for every redirect."""

import functools
import socket
from typing import Any, Final

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.poolmanager import PoolManager
from yarl import URL

from apps.engine.calls.addresses import AddressBlocked, AddressPolicy
from apps.signin.sso import patience

TIMEOUT_SECONDS: Final = 10
TOTAL_SECONDS: Final = 20.0
MAX_BYTES: Final = 1024 * 1024
MAX_REDIRECTS: Final = 3


class AnswerTooLarge(requests.RequestException):
    """The identity provider's answer is larger than 1 MiB."""


class AnswerTooSlow(requests.Timeout):
    """The identity provider took too long to answer."""


def policy() -> AddressPolicy:
    return AddressPolicy(allow_private=settings.STEPWELL_ALLOW_PRIVATE_NETWORKS)


def _connect(host: str, port: int, timeout: Any, socket_options: Any) -> socket.socket:
    """Connect to the first address that answers; raises AddressBlocked when one of them is forbidden."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        policy().require_address(address)
    problem: OSError = OSError(f"{host} has no address")
    watch = patience.current()
    for address in addresses:
        if watch is not None and watch.is_over:
            break
        try:
            connected = socket.create_connection((address, port), timeout)
        except OSError as exc:
            problem = exc
        else:
            for option in socket_options or ():
                connected.setsockopt(*option)
            if watch is not None:
                watch.add(connected)
            return connected
    raise problem


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self._dns_host, self.port, self.timeout, self.socket_options)


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self._dns_host, self.port, self.timeout, self.socket_options)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        self.poolmanager = PoolManager(num_pools=2, maxsize=1)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """With the whole answer read, so that its size is known. Raises AnswerTooLarge, AnswerTooSlow,
        ConnectionError."""
        try:
            policy().require_url(URL(request.url or "", encoded=True))
        except AddressBlocked as problem:
            raise requests.ConnectionError(str(problem), request=request) from problem
        with patience.for_at_most(TOTAL_SECONDS) as watch:
            try:
                response = self._answered(request, *args, **kwargs)
            except requests.RequestException as problem:
                if watch.is_over:
                    raise AnswerTooSlow(AnswerTooSlow.__doc__) from problem
                raise
        if watch.is_over:  # what ends with its connection only seems whole
            raise AnswerTooSlow(AnswerTooSlow.__doc__)
        return response

    def _answered(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        try:
            response = super().send(request, *args, **kwargs | {"stream": True})
            content = response.raw.read(MAX_BYTES + 1, decode_content=True)
        except HTTPError as problem:
            raise requests.ConnectionError(str(problem), request=request) from problem
        finally:
            self.poolmanager.clear()  # each request has a connection that it alone waits for
        response.close()
        if len(content) > MAX_BYTES:
            raise AnswerTooLarge
        response._content, response._content_consumed = content, True
        return response


def session() -> requests.Session:
    """For the requests of one sign-in. It takes no proxies and credentials from the environment."""
    made = requests.Session()
    made.trust_env = False
    made.max_redirects = MAX_REDIRECTS
    made.mount("http://", _Adapter())
    made.mount("https://", _Adapter())
    made.request = functools.partial(made.request, timeout=TIMEOUT_SECONDS)  # type: ignore[method-assign]
    return made
