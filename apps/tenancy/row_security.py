"""The second barrier between tenants: PostgreSQL itself shows a request no rows but its tenant's.

A request that has been resolved to a tenant runs its queries as the role `stepwell_tenant`, which the
policies of apps/server/row_policies.py are for. The user that owns the tables is not subject to them, so
schedulers, workers and migrations are as they were. On SQLite, and
where the role is missing, nothing is done.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast
from uuid import UUID

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

logger = logging.getLogger(__name__)

ROLE: Final = "stepwell_tenant"
_ENTER: Final = (
    "SELECT set_config('stepwell.account', %s, false), set_config('stepwell.environment', %s, false),"
    " set_config('stepwell.user', %s, false), set_config('role', %s, false)"
)
_PLACE: Final = "SELECT set_config('stepwell.environment', %s, false)"
_READY: Final = (
    "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = %s AND pg_has_role(oid, 'MEMBER'))"
    " AND to_regproc('stepwell_environment') IS NOT NULL"
)
OFF: Final = (
    "Row-level security is off: the database user may not create or use the role stepwell_tenant"
    " (docs/self-hosting.md, PostgreSQL)"
)
_MARK: Final = "row_scope"  # on the request
_ready: dict[tuple[str, str], bool] = {}  # by server and database; the process has one, tests have more


@contextmanager
def tenant_scope(
    account_id: UUID, environment_id: UUID | None, user_id: UUID | None = None
) -> Iterator[None]:
    """Queries of this thread see this tenant only. Not to be entered or left within a transaction."""
    is_in = _enter(account_id, environment_id, user_id)
    try:
        yield
    finally:
        if is_in:
            leave()


def enter_request(
    request: HttpRequest, account_id: UUID, environment_id: UUID | None, user_id: UUID | None = None
) -> None:
    """Until `leave_after_request` has the answer; a second place, as of a batch, takes the first one's."""
    if settings.STEPWELL_MODE != "dev" and _enter(account_id, environment_id, user_id):
        setattr(request, _MARK, True)


@contextmanager
def across_environments() -> Iterator[None]:
    """Within a scope: all environments of its account, to look up where an id is. The query names those that
    the person sees."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('stepwell.environment', true), '')")
        before = cursor.fetchone()[0]
        cursor.execute(_PLACE, [""])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(_PLACE, [before])


def leave() -> None:
    """Of a connection that cannot be told to forget the role, nothing is kept."""
    if connection.connection is None:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(_ENTER, ["", "", "", "none"])
    except Error:
        connection.close()


def is_ready() -> bool:
    """Whether the barrier stands on this database; asked once by each process."""
    if connection.vendor != "postgresql":
        return False
    where = (f"{connection.settings_dict['HOST']}:{connection.settings_dict['PORT']}", _name())
    if where not in _ready:
        with connection.cursor() as cursor:
            cursor.execute(_READY, [ROLE])
            _ready[where] = bool(cursor.fetchone()[0])
        if not _ready[where]:
            logger.warning(OFF)
    return _ready[where]


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _enter(account_id: UUID, environment_id: UUID | None, user_id: UUID | None) -> bool:
    if not is_ready():
        return False
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, [str(account_id), str(environment_id or ""), str(user_id or ""), ROLE])
    return True


Handler = Callable[[HttpRequest], HttpResponse]
AsyncHandler = Callable[[HttpRequest], Awaitable[HttpResponse]]


@sync_and_async_middleware
def leave_after_request(get_response: Handler | AsyncHandler) -> Handler | AsyncHandler:
    """All synchronous code of a request has one thread, and so one connection: the one that is left here."""
    if iscoroutinefunction(get_response):
        return _async_handler(get_response)
    return _handler(cast("Handler", get_response))


def _handler(get_response: Handler) -> Handler:
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return get_response(request)
        finally:
            if getattr(request, _MARK, False):
                leave()

    return answer


def _async_handler(get_response: Any) -> AsyncHandler:
    async def answer(request: HttpRequest) -> HttpResponse:
        try:
            return cast("HttpResponse", await get_response(request))
        finally:
            if getattr(request, _MARK, False):
                await sync_to_async(leave, thread_sensitive=True)()

    return answer
