"""ASGI entry point: thin handlers on their paths, in front of Django and Channels.

A thin handler is a raw ASGI callable; mount another by a line in `thin_handlers`.
"""

import os
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()  # loads the apps: before any import that needs models

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings

from apps.api import sdk_state
from apps.credentials.listening import ChangeListener
from apps.credentials.process import process_resolver
from apps.credentials.usage import UsageWriter
from apps.engine.engine import Engine
from apps.engine.garbage import calm_garbage_collector
from apps.engine.keys import Keys
from apps.engine.services import Service
from apps.engine.store.client import RedisClient
from apps.engine.telemetry import process_counters
from apps.engine.telemetry_sender import TelemetrySender
from apps.ingest import app as ingest
from apps.ingest.asgi_types import ASGIApp
from apps.ingest.options import options_from_settings
from apps.realtime.routing import websocket_urlpatterns
from apps.refusals.buffer import process_refusals
from apps.refusals.sender import RefusalSender
from apps.refusals.store import RefusalStore
from apps.server.body_limit import BodyLimit
from apps.signin.announcing import SetupAnnouncer
from apps.signin.sweeping import SessionSweeper
from apps.webhooks.configs import process_configs
from apps.webhooks.door import WebhookDoor
from apps.webhooks.log import DeliveryWriter
from apps.webhooks.services.scripts import pool
from config.routing import PrefixRouter


def thin_handlers(otherwise: ASGIApp) -> dict[str, ASGIApp]:
    """Path prefix -> ASGI callable; `otherwise` takes what a handler leaves."""
    options = options_from_settings()
    client = RedisClient(options.redis_url)
    resolver = process_resolver()
    webhooks = WebhookDoor(options, client, pool)
    pages = otherwise if settings.STEPWELL_UI else None
    events = ingest.IngestApp(options, client, resolver=resolver, webhooks=webhooks, pages=pages)
    state = sdk_state.SdkStateApp(options, Engine(client, options.shard), otherwise, resolver=resolver)
    return dict.fromkeys(ingest.PREFIXES, events) | dict.fromkeys(sdk_state.PREFIXES, state)


def refusal_sender() -> RefusalSender:
    options = options_from_settings()
    return RefusalSender(process_refusals, RefusalStore(RedisClient(options.redis_url), Keys(options.shard)))


def credential_services() -> list[Service]:
    """Dev mode has no credentials to keep up with."""
    if settings.STEPWELL_MODE == "dev":
        return []
    return [
        ChangeListener(settings.REDIS_URL, lambda: [process_resolver().cache, process_configs]),
        UsageWriter(),
    ]


def django_and_channels() -> ASGIApp:
    # django-stubs and types-channels disagree on URL patterns; Channels types its messages one by one.
    websockets = AuthMiddlewareStack(URLRouter(cast("list[Any]", websocket_urlpatterns)))
    pages = BodyLimit(
        cast("ASGIApp", django_application),
        page_bytes=settings.STEPWELL_PAGE_MAX_BYTES,
        api_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    )
    return cast("ASGIApp", ProtocolTypeRouter({"http": cast("Any", pages), "websocket": websockets}))


def telemetry_sender() -> TelemetrySender:
    options = options_from_settings()
    return TelemetrySender(
        RedisClient(options.redis_url), Keys(options.shard), role="web", counters=process_counters
    )


_others = django_and_channels()
_services: list[Service] = [refusal_sender(), telemetry_sender(), SetupAnnouncer(), DeliveryWriter()]
_services += [SessionSweeper(), *credential_services()]
application = PrefixRouter(thin_handlers(_others), _others, _services)
calm_garbage_collector()
