"""GET /v1/events, /v1/events/{id} and /v1/events/{id}/runs (spec 03, 4.3 and 4.4)."""

import msgspec
from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.rest.answers import enveloped
from apps.api.rest.base import RestView, ulid_or_error
from apps.api.rest.errors import PublicError
from apps.api.rest.runs import run_items
from apps.engine import clock
from apps.engine.protocol.dates import parse_date_ms, rfc3339
from apps.engine.protocol.ids import is_ulid
from apps.events import selectors
from apps.events.models import Event
from apps.events.origins import origin_of
from apps.runs import selectors as run_selectors
from apps.tenancy.permissions import Permission

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
DEFAULT_WINDOW_MS = 3600 * 1000


class EventItem(msgspec.Struct, omit_defaults=True):
    """One event as the API shows it; `user` and `v` are left out when empty."""

    internal_id: str
    account_id: str
    environment_id: str
    received_at: str
    id: str
    name: str
    data: msgspec.Raw
    ts: int
    source: str
    source_id: str | None
    user: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    v: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Body(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"{}")
    user: msgspec.Raw = msgspec.Raw(b"null")
    v: msgspec.Raw = msgspec.Raw(b"null")


_body_decoder = msgspec.json.Decoder(_Body)
_EMPTY = frozenset({b"null", b"{}", b'""'})


class EventListView(RestView):
    permissions = {"GET": Permission.DATA_READ}

    def get(self, request: Request) -> Response:
        where = selectors.EventFilter(
            received_from=_date(request, "received_after", clock.now_ms() - DEFAULT_WINDOW_MS),
            received_until=_date(request, "received_before", None),
            names=[name] if (name := request.GET.get("name")) else [],
            internal=selectors.Internal.STARTING_RUNS,
        )
        page = selectors.event_list(
            self.environment_id, where, limit=_limit(request), cursor=_cursor(request)
        )
        bodies = selectors.event_bodies(self.environment_id, [event.key for event in page.events])
        return enveloped([event_item(event, bodies.get(event.key, "{}")) for event in page.events])


class EventView(RestView):
    permissions = {"GET": Permission.DATA_READ}

    def get(self, request: Request, event_id: str) -> Response:
        internal_id = ulid_or_error(event_id, "Invalid event ID")
        event = selectors.event_get(self.environment_id, internal_id)
        if event is None:
            raise PublicError(404, "Event not found")
        bodies = selectors.event_bodies(self.environment_id, [event.key])
        return enveloped(event_item(event, bodies.get(event.key, "{}")), fresh_seconds=5)


class EventRunsView(RestView):
    permissions = {"GET": Permission.DATA_READ}

    def get(self, request: Request, event_id: str) -> Response:
        internal_id = ulid_or_error(event_id, "Invalid event ID")
        runs = run_selectors.runs_for_event(self.environment_id, internal_id)
        return enveloped(run_items(self.environment_id, runs), fresh_seconds=15)


def event_item(event: Event, body: str) -> EventItem:
    """`body` is the event's stored JSON text."""
    parts = _body_decoder.decode(body)
    source, source_id = _source(event)
    return EventItem(
        internal_id=event.internal_id,
        account_id=str(event.account_id),
        environment_id=str(event.environment_id),
        received_at=rfc3339(event.received_at),
        id=event.external_id,
        name=event.name,
        data=parts.data,
        ts=event.ts,
        source=source,
        source_id=source_id,
        user=_unless_empty(parts.user),
        v=_unless_empty(parts.v),
    )


def _source(event: Event) -> tuple[str, str | None]:
    """Nothing in dev mode, which asks for no credential."""
    if settings.STEPWELL_MODE == "dev":
        return "", None
    return origin_of(event), str(event.origin_id) if event.origin_id else None


def _unless_empty(value: msgspec.Raw) -> msgspec.Raw | msgspec.UnsetType:
    return msgspec.UNSET if bytes(value) in _EMPTY else value


def _limit(request: Request) -> int:
    try:
        wanted = int(request.GET.get("limit", ""))
    except ValueError:
        return DEFAULT_LIMIT
    return min(max(wanted, 1), MAX_LIMIT) if wanted else DEFAULT_LIMIT


def _cursor(request: Request) -> str | None:
    cursor = request.GET.get("cursor")
    if not cursor:
        return None
    if not is_ulid(cursor):
        raise PublicError(400, "Invalid cursor query parameter")
    return cursor.upper()


def _date(request: Request, name: str, default: int | None) -> int | None:
    text = request.GET.get(name)
    if not text:
        return default
    moment = parse_date_ms(text)
    if moment is None:
        raise PublicError(400, f"Invalid {name} query parameter")
    return moment
