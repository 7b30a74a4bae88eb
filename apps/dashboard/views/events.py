"""Events: the list, one event, sending."""

import json

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_GET, require_http_methods

from apps.dashboard.auditing import audit_download, audit_events_sent
from apps.dashboard.environment import current_environment, environment_id
from apps.dashboard.fragments import redirect, render_dialog, render_page
from apps.dashboard.pages.event_detail import EventPage
from apps.dashboard.pages.event_list import event_list
from apps.dashboard.pages.filters import RANGES, event_filters
from apps.dashboard.pages.refusal_list import refusal_panel
from apps.dashboard.pages.sending import events_send
from apps.dashboard.permissions import requires
from apps.dashboard.selectors.events import parse_cursor
from apps.dashboard.selectors.keyset import position
from apps.dashboard.snippets import EXAMPLE_EVENT, event_snippet
from apps.dashboard.tenant import access_of
from apps.dashboard.views.runs import UNREACHABLE, json_file, with_filters_in_url
from apps.engine.store.client import RedisUnavailable
from apps.events import selectors
from apps.events.models import Event
from apps.realtime.topics import runs_topic
from apps.tenancy.permissions import Permission


@require_GET
@requires(Permission.VIEW)
def events(request: HttpRequest) -> HttpResponse:
    environment = environment_id(request)
    filters = event_filters(request.GET)
    path = reverse("dashboard:events")
    at = position(request.GET, parse_cursor)
    is_refused_open = request.GET.get("refused") == "1"
    context = {
        # Lazy: each of the two fragments reads only what it shows.
        "page": SimpleLazyObject(lambda: event_list(environment, filters, at, path)),
        "refused": SimpleLazyObject(lambda: refusal_panel(environment)),
        "is_refused_open": is_refused_open,
        "filters": filters,
        "live_topic": runs_topic(environment),
        "range_choices": RANGES,
        "event_snippet": lambda: event_snippet(request),
    }
    fragments = {"events-list": "events/_list.html", "refused-requests": "events/_refused.html"}
    response = render_page(request, "events/list.html", context, section="events", fragments=fragments)
    url = reverse("dashboard:events", query=filters.query() | ({"refused": "1"} if is_refused_open else {}))
    return with_filters_in_url(request, response, "event-filters", url)


@require_GET
@requires(Permission.VIEW)
def event(request: HttpRequest, internal_id: str) -> HttpResponse:
    row = _event(request, internal_id)
    context = {
        "page": EventPage(row.environment_id, row, shows_data=_may_read_data(request)),
        "event": row,
        "live_topic": runs_topic(row.environment_id),
        "send_again_url": reverse("dashboard:event-send", query={"like": internal_id}),
    }
    fragments = {"event-outcome": "events/_outcome.html"}
    return render_page(request, "events/page.html", context, section="events", fragments=fragments)


@require_GET
@requires(Permission.DATA_READ)
def event_payload(request: HttpRequest, internal_id: str) -> HttpResponse:
    body = _body(_event(request, internal_id))
    if body is None:
        raise Http404("no such payload")
    audit_download(request, "event", internal_id)
    return json_file(body, f"{internal_id}.json")


@require_http_methods(["GET", "POST"])
@requires(Permission.EVENT_SEND)
def send(request: HttpRequest) -> HttpResponse:
    """The editor, empty or filled with the event that `like` names; POST sends what it holds."""
    if request.method == "GET":
        return _editor(request, _draft(request))
    body = request.POST.get("body", "")
    try:
        sent = events_send(current_environment(request), body)
    except ValueError as problem:
        return _editor(request, body, str(problem))
    except RedisUnavailable:
        return _editor(request, body, UNREACHABLE)
    audit_events_sent(request, sent)
    messages.success(request, "Event sent." if len(sent) == 1 else f"{len(sent)} events sent.")
    return redirect(request, reverse("dashboard:events"))


def _editor(request: HttpRequest, body: str, error: str = "") -> HttpResponse:
    context = {"dialog_title": "Send event", "body": body, "error": error}
    return render_dialog(request, "events/send.html", context, section="events", status=422 if error else 200)


def _draft(request: HttpRequest) -> str:
    internal_id = request.GET.get("like", "")
    if not internal_id or not _may_read_data(request):
        return EXAMPLE_EVENT
    body = _body(_event(request, internal_id))
    return EXAMPLE_EVENT if body is None else _without_identity(body)


def _without_identity(body: str) -> str:
    """The event as a new one: neither its id, by which it would be dropped, nor its time."""
    value = json.loads(body)
    members = {key: item for key, item in value.items() if key not in ("id", "ts") and item not in ({}, None)}
    ordered = {key: members.pop(key) for key in ("name", "data") if key in members}
    return json.dumps({**ordered, **members}, indent=2, ensure_ascii=False)


def _may_read_data(request: HttpRequest) -> bool:
    return access_of(request).has(Permission.DATA_READ)


def _body(row: Event) -> str | None:
    return selectors.event_bodies(row.environment_id, [row.key]).get(row.key)


def _event(request: HttpRequest, internal_id: str) -> Event:
    row = selectors.event_get(environment_id(request), internal_id)
    if row is None:
        raise Http404("no such event")
    return row
