"""POST and GET /v1/cancellations, and DELETE of one (spec 03, 4.7)."""

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.rest.answers import enveloped, time_or_none
from apps.api.rest.base import RestView
from apps.api.rest.errors import PublicError
from apps.audit.changes import Target
from apps.engine.protocol.dates import parse_date_ms, rfc3339
from apps.engine.protocol.ids import is_ulid
from apps.engine.protocol.raw_json import NOT_JSON
from apps.operations import selectors
from apps.operations.exceptions import CancellationInvalid, CancellationNotFound
from apps.operations.models import Cancellation
from apps.operations.services import cancellation_create, cancellation_delete
from apps.registry.exceptions import FunctionNotFound
from apps.tenancy.models import Environment
from apps.tenancy.permissions import Permission

MAX_LISTED = 1_000


class CancellationBody(msgspec.Struct):
    """Times as RFC 3339."""

    app_id: str | None = None
    function_id: str | None = None
    started_before: str | None = None
    started_after: str | None = None
    condition: str | None = msgspec.field(name="if", default=None)


class CancellationItem(msgspec.Struct, omit_defaults=True):
    """One cancellation as the API shows it; `if` is left out when empty."""

    id: str
    name: str
    created_at: str
    account_id: str
    environment_id: str
    app_id: str
    function_internal_id: str
    function_id: str
    started_after: str | None
    started_before: str
    kind: str
    cause: str
    queue_name: str | None
    condition: str = msgspec.field(name="if", default="")


_decoder = msgspec.json.Decoder(CancellationBody)


class CancellationsView(RestView):
    permissions = {"GET": Permission.VIEW, "POST": Permission.RUN_CANCEL_BULK}

    def get(self, request: Request) -> Response:
        found = selectors.cancellation_list(self.environment_id, limit=MAX_LISTED)
        return enveloped([_item(cancellation) for cancellation in found])

    def post(self, request: Request) -> Response:
        sent = _parse(request.body)
        try:
            cancellation = cancellation_create(
                environment=Environment.objects.get(id=self.environment_id),
                app_id=sent.app_id or "",
                function_id=sent.function_id or "",
                started_before=_time(sent.started_before),
                started_after=_time(sent.started_after),
                expression=sent.condition or "",
            )
        except CancellationInvalid as error:
            raise PublicError(400, str(error)) from None
        except FunctionNotFound as error:
            raise PublicError(404, str(error)) from None
        self.audit("cancellation.create", _target(cancellation), _window(cancellation))
        return enveloped(_item(cancellation))


class CancellationView(RestView):
    permissions = {"DELETE": Permission.RUN_CANCEL_BULK}

    def delete(self, request: Request, cancellation_id: str) -> Response:
        if not is_ulid(cancellation_id):
            raise PublicError(400, "Invalid cancellation ID")
        environment, ident = Environment.objects.get(id=self.environment_id), cancellation_id.upper()
        try:
            cancellation_delete(environment=environment, cancellation_id=ident)
        except CancellationNotFound as error:
            raise PublicError(404, str(error)) from None
        self.audit("cancellation.delete", Target("cancellation", ident, ident))
        return enveloped({"ok": True})


def _parse(body: bytes) -> CancellationBody:
    try:
        return _decoder.decode(body)
    except NOT_JSON:
        raise _invalid() from None


def _time(text: str | None) -> int | None:
    """Milliseconds. Raises PublicError for what is no date."""
    if not text:
        return None
    moment = parse_date_ms(text)
    if moment is None:
        raise _invalid()
    return moment


def _invalid() -> PublicError:
    return PublicError(400, "Invalid cancellation request")


def _target(cancellation: Cancellation) -> Target:
    return Target("cancellation", cancellation.id, cancellation.function.slug)


def _window(cancellation: Cancellation) -> dict[str, str | bool | None]:
    """Which runs it ends; what its expression compares with may be people's data, and stays out."""
    return {
        "started_after": time_or_none(cancellation.started_after),
        "started_before": rfc3339(cancellation.started_before),
        "has_expression": bool(cancellation.expression),
    }


def _item(cancellation: Cancellation) -> CancellationItem:
    function = cancellation.function
    return CancellationItem(
        id=cancellation.id,
        name=cancellation.name,
        created_at=rfc3339(cancellation.created_at),
        account_id=str(cancellation.account_id),
        environment_id=str(cancellation.environment_id),
        app_id=str(cancellation.app_id),
        function_internal_id=str(function.id),
        function_id=function.slug.removeprefix(f"{cancellation.app.name}-"),
        started_after=time_or_none(cancellation.started_after),
        started_before=rfc3339(cancellation.started_before),
        kind=cancellation.kind,
        cause=cancellation.cause,
        queue_name=None,
        condition=cancellation.expression,
    )
