"""Scopes of row-level security end with what they are of: a request, however it ends, and a connection that
goes back to its pool; requests that are under way at once have one each."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import pytest
import redis
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import DatabaseError, connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from pytest_django.fixtures import Settings

from apps.tenancy import row_security
from apps.tenancy.models import Account
from apps.tenancy.row_security import enter_request, leave_after_request, tenant_scope
from config.settings.database import database
from tests.integration.databases import on_postgres
from tests.integration.tenancy.cast import Cast, make_cast

OUTSIDE: Final = ("postgres", "")


@pytest.fixture
def stage(default_database: str, queue: redis.Redis, settings: Settings) -> Cast:
    assert default_database == "postgres"
    settings.STEPWELL_MODE = "server"
    return make_cast()


def role_and_account() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, coalesce(current_setting('stepwell.account', true), '')")
        role, account = cursor.fetchone()
        return str(role), str(account)


def within(account_id: UUID) -> tuple[str, str]:
    return ("stepwell_tenant", str(account_id))


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def failing(request: HttpRequest) -> HttpResponse:
    raise LookupError


def broken(request: HttpRequest) -> HttpResponse:
    """Leaves a transaction that is aborted."""
    connection.set_autocommit(False)
    with suppress(DatabaseError):
        connection.cursor().execute("SELECT no_such_column")
    return HttpResponse()


View = Callable[[HttpRequest], HttpResponse]


@on_postgres
@pytest.mark.parametrize("view", [plain, failing, broken])
def test_the_connection_is_clean_after_the_request(stage: Cast, view: View) -> None:
    seen = []

    def entered(request: HttpRequest) -> HttpResponse:
        enter_request(request, stage.acme.id, stage.environment("production").id)
        seen.append(role_and_account())
        return view(request)

    try:
        leave_after_request(entered)(HttpRequest())
    except LookupError:
        assert view is failing
    assert seen == [within(stage.acme.id)]
    assert role_and_account() == OUTSIDE


@on_postgres
def test_the_parts_of_a_stream_are_made_in_the_scope(stage: Cast) -> None:
    def entered(request: HttpRequest) -> Any:
        enter_request(request, stage.acme.id, None)
        return StreamingHttpResponse(role_and_account()[0] for _ in range(2))

    response: Any = leave_after_request(entered)(HttpRequest())
    assert role_and_account() == OUTSIDE
    assert list(response) == [b"stepwell_tenant", b"stepwell_tenant"]
    assert role_and_account() == OUTSIDE


@on_postgres
def test_a_stream_that_nobody_reads_to_its_end_leaves_the_scope(stage: Cast) -> None:
    def entered(request: HttpRequest) -> Any:
        enter_request(request, stage.acme.id, None)
        return StreamingHttpResponse(str(number) for number in range(2))

    response: Any = leave_after_request(entered)(HttpRequest())
    assert next(iter(response)) == b"0"
    assert role_and_account() == within(stage.acme.id)
    response.close()
    assert role_and_account() == OUTSIDE


@pytest.fixture
def pooled(stage: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The default connection is of a pool, as the settings make it, of one."""
    known = connection.settings_dict
    made = database(f"postgresql://postgres@127.0.0.1:{known['PORT']}/postgres")
    pool = {**made["OPTIONS"]["pool"], "min_size": 1, "max_size": 1}
    own: Any = connections["default"]
    outer = connections.settings["default"]
    own.close()
    monkeypatch.setattr(DatabaseWrapper, "_connection_pools", {})  # they are found by alias
    connections.settings["default"] = {**known, "OPTIONS": {"pool": pool}}
    del connections["default"]
    yield
    of_pool: Any = connections["default"]
    of_pool.close()
    of_pool.close_pool()
    connections.settings["default"] = outer
    connections["default"] = own


def goes_back() -> None:
    """As at the end of a request whose connection is not kept."""
    connection.close()


def goes_back_in_a_transaction() -> None:
    connection.set_autocommit(False)
    connection.close()


def goes_back_aborted() -> None:
    broken(HttpRequest())
    connection.close()


@on_postgres
@pytest.mark.parametrize("ends", [goes_back, goes_back_in_a_transaction, goes_back_aborted])
def test_a_connection_that_goes_back_to_the_pool_forgets_the_scope(
    stage: Cast, pooled: None, ends: Callable[[], None]
) -> None:
    """Even where nobody has left it."""
    pid = backend()
    enter_request(HttpRequest(), stage.acme.id, stage.environment("production").id)
    assert role_and_account() == within(stage.acme.id)
    ends()
    assert role_and_account() == OUTSIDE
    assert backend() == pid, "it is the same connection"


@on_postgres
def test_an_exception_in_a_scope_gives_the_pool_a_clean_connection(stage: Cast, pooled: None) -> None:
    pid = backend()
    with suppress(LookupError), tenant_scope(stage.acme.id):
        assert role_and_account() == within(stage.acme.id)
        raise LookupError
    assert role_and_account() == OUTSIDE
    connection.close()
    assert (role_and_account(), backend()) == (OUTSIDE, pid)


class Meeting:
    """Two requests in their scopes at the same time: each answers once both have entered."""

    def __init__(self) -> None:
        self.threads, self.tasks = threading.Barrier(2, timeout=20), asyncio.Barrier(2)

    def enter(self, request: HttpRequest) -> None:
        enter_request(request, UUID(request.GET["account"]), None)

    def look(self) -> dict[str, Any]:
        accounts = [str(row.id) for row in Account.objects.all()]
        return {"scope": role_and_account(), "accounts": accounts, "backend": backend()}


meeting: Meeting


def in_a_thread(request: HttpRequest) -> JsonResponse:
    meeting.enter(request)
    meeting.threads.wait()
    seen = meeting.look()
    meeting.threads.wait()
    return JsonResponse(seen)


async def in_the_loop(request: HttpRequest) -> JsonResponse:
    await sync_to_async(meeting.enter)(request)
    await meeting.tasks.wait()
    seen = await sync_to_async(meeting.look)()
    await meeting.tasks.wait()
    return JsonResponse(seen)


entered, released = threading.Event(), threading.Event()


def held(request: HttpRequest) -> HttpResponse:
    meeting.enter(request)
    entered.set()
    assert released.wait(20)
    return HttpResponse("too late")


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    meeting.enter(request)
    return StreamingHttpResponse(f"{role_and_account()[1]}\n" for _ in range(2))


urlpatterns = [
    path("stream", streamed),
    path("thread", in_a_thread),
    path("loop", in_the_loop),
    path("held", held),
]


@pytest.fixture
async def handler(stage: Cast, settings: Settings) -> ASGIHandler:
    """Django as the server has it: each request has a thread for its synchronous code."""
    global meeting
    meeting = Meeting()
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["apps.tenancy.row_security.leave_after_request"]
    return ASGIHandler()


Receive = Callable[[], Awaitable[dict[str, Any]]]


async def ask(handler: ASGIHandler, path: str, account_id: UUID, ends: asyncio.Event | None = None) -> Any:
    """The body of the answer; the client goes away when `ends` is set."""
    sent: list[dict[str, Any]] = []
    messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        if (message := next(messages, None)) is not None:
            return message
        await (ends or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": f"account={account_id}".encode(),
        "headers": [(b"host", b"testserver")],
    }
    await handler(scope, receive, send)  # type: ignore[arg-type]
    return b"".join(message.get("body", b"") for message in sent)


@on_postgres
@pytest.mark.parametrize("path", ["/thread", "/loop"])
async def test_requests_of_two_tenants_at_once_never_share_a_scope(
    handler: ASGIHandler, stage: Cast, path: str
) -> None:
    tenants = [stage.acme.id, stage.other.id]
    bodies = await asyncio.gather(*(ask(handler, path, account_id) for account_id in tenants))
    answers = [json.loads(body) for body in bodies]
    for answer, account_id in zip(answers, tenants, strict=True):
        assert (tuple(answer["scope"]), answer["accounts"]) == (within(account_id), [str(account_id)])
    assert answers[0]["backend"] != answers[1]["backend"]


@on_postgres
async def test_streams_of_two_tenants_at_once_never_share_a_scope(handler: ASGIHandler, stage: Cast) -> None:
    tenants = [stage.acme.id, stage.other.id]
    with pytest.warns(Warning, match="consume synchronous iterators"):
        bodies = await asyncio.gather(*(ask(handler, "/stream", account_id) for account_id in tenants))
    assert bodies == [f"{account_id}\n".encode() * 2 for account_id in tenants]


@on_postgres
async def test_a_client_that_goes_away_leaves_no_scope_behind(
    handler: ASGIHandler, stage: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The view goes on in its thread; the scope ends after it."""
    left: list[tuple[str, str]] = []
    leave = row_security.leave

    def noted() -> None:
        left.append(role_and_account())
        leave()
        left.append(role_and_account())

    monkeypatch.setattr(row_security, "leave", noted)
    gone = asyncio.Event()
    asking = asyncio.ensure_future(ask(handler, "/held", stage.acme.id, gone))
    assert await asyncio.to_thread(entered.wait, 20)
    gone.set()
    for _ in range(20):  # turns of the loop, in which the request is cancelled
        await asyncio.sleep(0)
    released.set()
    assert await asking == b""
    assert left == [within(stage.acme.id), OUTSIDE]
