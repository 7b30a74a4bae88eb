"""The second barrier between tenants: PostgreSQL itself shows a request no rows but its tenant's.

A request that has been resolved to a tenant runs its queries as the role `stepwell_tenant`, which the
policies of apps/server/row_policies.py are for. The user that owns the tables is not subject to them:
schedulers, workers and commands serve all tenants. On SQLite, and where the role is missing, nothing is done.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.decorators import sync_and_async_middleware

logger = logging.getLogger(__name__)

ROLE: Final = "stepwell_tenant"
_ENTER: Final = (
    "SELECT set_config('stepwell.account', %s, false), set_config('stepwell.environment', %s, false),"
    " set_config('stepwell.user', %s, false), set_config('role', %s, false)"
)
_SET: Final = "SELECT set_config(%s, %s, false)"
_NOW: Final = "SELECT coalesce(current_setting(%s, true), '')"
_READY: Final = (
    "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = %s AND pg_has_role(oid, 'MEMBER'))"
    " AND to_regproc('stepwell_environment') IS NOT NULL"
)
OFF: Final = (
    "Row-level security is off: the database user may not create or use the role stepwell_tenant"
    " (docs/self-hosting.md, PostgreSQL)"
)
_MARK: Final = "row_scope"  # on the request: its scope
_ready: dict[tuple[str, str], bool] = {}  # by server and database; the process has one, tests have more


class Scope(NamedTuple):
    """Without an environment: all of the account's. The user also sees which accounts they belong to."""

    account_id: UUID
    environment_id: UUID | None = None
    user_id: UUID | None = None


@contextmanager
def tenant_scope(
    account_id: UUID, environment_id: UUID | None = None, user_id: UUID | None = None
) -> Iterator[None]:
    """Queries of this thread see this tenant only. Not to be entered or left within a transaction."""
    is_in = _enter(Scope(account_id, environment_id, user_id))
    try:
        yield
    finally:
        if is_in:
            leave()


def enter_request(
    request: HttpRequest, account_id: UUID, environment_id: UUID | None, user_id: UUID | None = None
) -> None:
    """Until `leave_after_request` has the answer; a second place, as of a batch, takes the first one's."""
    scope = Scope(account_id, environment_id, user_id)
    if settings.STEPWELL_MODE != "dev" and _enter(scope):
        setattr(request, _MARK, scope)


def across_environments() -> AbstractContextManager[None]:
    """Within a scope: all environments of its account, to look up where an id is, or to count what has a
    limit. The query names those that it is about."""
    return _otherwise("stepwell.environment", "")


def beyond_organisations() -> AbstractContextManager[None]:
    """Out of the scope for one question about the whole installation, such as whether a name is taken. What
    is found is not to be shown."""
    return _otherwise("role", "none")


@contextmanager
def _otherwise(setting: str, value: str) -> Iterator[None]:
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(_NOW, [setting])
        before = cursor.fetchone()[0]
        cursor.execute(_SET, [setting, value])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(_SET, [setting, before])


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


def _enter(scope: Scope) -> bool:
    if not is_ready():
        return False
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, [*(str(ident or "") for ident in scope), ROLE])
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
            return _followed(request, get_response(request))
        finally:
            if _scope_of(request):
                leave()

    return answer


def _async_handler(get_response: Any) -> AsyncHandler:
    async def answer(request: HttpRequest) -> HttpResponse:
        try:
            return _followed(request, await get_response(request))
        finally:
            if _scope_of(request):
                await sync_to_async(leave, thread_sensitive=True)()

    return answer


def _scope_of(request: HttpRequest) -> Scope | None:
    scope: Scope | None = getattr(request, _MARK, None)
    return scope


def _followed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The parts of a stream are made once the request has been left: its scope is entered again for them."""
    scope = _scope_of(request)
    if scope is not None and isinstance(response, StreamingHttpResponse) and not response.is_async:
        response.streaming_content = _parts(scope, cast("Iterator[bytes]", response.streaming_content))
    return response


def _parts(scope: Scope, parts: Iterator[bytes]) -> Iterator[bytes]:
    with tenant_scope(*scope):
        yield from parts
