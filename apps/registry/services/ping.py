"""Syncs that the server begins: PUT to an app's URL and what comes of it (spec 01 4.1 to 4.5)."""

import asyncio
import time
from collections.abc import Iterable
from uuid import UUID

import msgspec
import orjson

from apps.credentials.services.app_uses import app_key_use_record
from apps.credentials.signing import Key, KeySet, key_set
from apps.engine.protocol import signing
from apps.registry import app_urls, configuration, ping_outcome, selectors, sync_client
from apps.registry.choices import AppMethod, SyncStatus
from apps.registry.models import App, Sync
from apps.registry.ping_outcome import HEALTHY, PingOutcome
from apps.registry.selectors import SyncMark
from apps.registry.services import sync_records, syncing
from apps.registry.sync_client import Answer
from apps.registry.validation import RegistrationError

_UNAUTHORISED = 401

UNINITIALIZED = PingOutcome(
    ping_outcome.UNINITIALIZED,
    "The app answered, but did not register here under this URL; it may be set to use another server",
)


class _Ping(msgspec.Struct, frozen=True):
    """The outcome, and the app that the answer names where it names one."""

    outcome: PingOutcome
    app_id: UUID | None = None


class PingResult(msgspec.Struct, frozen=True):
    """`app` is what is at the URL now: an app, a placeholder, or nothing known."""

    outcome: PingOutcome
    app: App | None


class PendingPing(msgspec.Struct, frozen=True):
    """`keys` are what the request is signed with, one after the other."""

    environment_id: UUID
    normalised_url: str
    mark: SyncMark
    keys: KeySet = KeySet()


def app_ping(environment_id: UUID, url: str) -> PingResult:
    """PUT the URL to the app there and store the outcome on the apps of that URL.

    Blocks for at most 10 s per address, and holds no transaction meanwhile: the app calls
    /fn/register before it answers. What that call recorded decides; the answer's status only counts
    where no such call came. Nothing is raised for an app that misbehaves.
    """
    pending = begin(environment_id, url)
    return finish(pending, asyncio.run(send(url, pending.keys)))


def begin(environment_id: UUID, url: str) -> PendingPing:
    """The first part of `app_ping`, for callers on an event loop: then `await send`, then `finish`."""
    normalised_url = app_urls.normalise_or_keep(url)
    latest = selectors.latest_sync_of_url(environment_id, normalised_url)
    return PendingPing(environment_id, normalised_url, selectors.sync_mark(latest), key_set(environment_id))


async def send(url: str, keys: KeySet) -> Answer | PingOutcome:
    """The app's answer, or why there is none. Touches no database.

    While a rotation is prepared the pending key is tried first, and the active one where the app does not
    know it yet.
    """
    if app_urls.scheme(url) not in ("http", "https"):
        return PingOutcome(ping_outcome.UNSUPPORTED_PROTOCOL, "The URL is neither http nor https")
    *pending, signing_key = keys.probes or ("",)
    try:
        for key in pending:
            answer = await _put(url, key)
            if answer.status != _UNAUTHORISED:
                return answer
        return await _put(url, signing_key)
    except sync_client.Unreachable as error:
        return ping_outcome.unreachable(str(error))


async def _put(url: str, signing_key: str) -> Answer:
    return await sync_client.put(
        url,
        server_kind=configuration.server_kind(),
        signing_key=signing_key,
        policy=configuration.address_policy(),
    )


def finish(pending: PendingPing, reply: Answer | PingOutcome) -> PingResult:
    """Register an in-band answer and store the outcome."""
    ping = _Ping(reply) if isinstance(reply, PingOutcome) else _of_answer(pending.environment_id, reply)
    latest = selectors.latest_sync_of_url(pending.environment_id, pending.normalised_url)
    if latest is not None and selectors.sync_mark(latest) != pending.mark:
        ping = _Ping(_outcome_of_sync(latest), latest.app_id)
    return _settle(pending.environment_id, pending.normalised_url, ping)


def store_outcome(environment_id: UUID, normalised_url: str, outcome: PingOutcome) -> None:
    """Set or clear the error of the serve apps and placeholders at a URL."""
    _store_outcome(selectors.apps_by_url(environment_id, normalised_url), outcome)


def _store_outcome(at_url: Iterable[App], outcome: PingOutcome) -> None:
    """No statement without a change: even one that finds nothing waits for SQLite's write lock."""
    for app in at_url:
        is_stored = (app.error, app.error_detail) == (outcome.code, outcome.detail)
        if app.method == AppMethod.SERVE and not is_stored:
            app.error, app.error_detail = outcome.code, outcome.detail
            App.objects.filter(id=app.id).update(error=app.error, error_detail=app.error_detail)


def _of_answer(environment_id: UUID, answer: Answer) -> _Ping:
    if _is_in_band(answer):
        return _register_in_band(environment_id, answer)
    outcome = ping_outcome.of_answer(answer.status, answer.headers, answer.body)
    return _Ping(outcome, _app_id_in(answer.body) if outcome.is_healthy else None)


def _is_in_band(answer: Answer) -> bool:
    is_marked = answer.headers.get("x-inngest-sync-kind", "").lower() == "in_band"
    return is_marked and 200 <= answer.status < 300 and "functions" in _json_object(answer.body)


def _register_in_band(environment_id: UUID, answer: Answer) -> _Ping:
    keys = key_set(environment_id).accepted
    signature = answer.headers.get("x-inngest-signature", "")
    signed_with = next((key for key in keys if _is_signed(signature, answer.body, key)), None)
    if keys and signed_with is None:
        detail = "The app's in-band answer is not signed with this server's signing key"
        return _Ping(PingOutcome(ping_outcome.INVALID_SIGNING_KEY, detail))
    result = syncing.registration_receive(environment_id, answer.body, configuration.sync_policy())
    if isinstance(result, RegistrationError):
        return _Ping(PingOutcome(result.code, sync_records.printable(result.message)))
    if signed_with is not None:
        app_key_use_record(app_id=result.app_id, environment_id=environment_id, signing_key_id=signed_with.id)
    return _Ping(HEALTHY, result.app_id)


def _is_signed(signature: str, body: bytes, key: Key) -> bool:
    """The signature covers the raw body; Go leaves out the newline that it ends with (spec 01 3.4)."""
    now = int(time.time())
    return any(signing.verify(signature, form, [key.value], now) for form in {body, body.removesuffix(b"\n")})


def _outcome_of_sync(sync: Sync) -> PingOutcome:
    if sync.status == SyncStatus.ERROR:
        return PingOutcome(sync.error_code, sync.error)
    return HEALTHY


def _settle(environment_id: UUID, normalised_url: str, ping: _Ping) -> PingResult:
    """Replace a placeholder by the app that answered for it, or say why it stays one."""
    outcome = ping.outcome
    at_url = selectors.apps_by_url(environment_id, normalised_url)
    registered = _registered(environment_id, ping.app_id, at_url)
    for placeholder in (app for app in at_url if outcome.is_healthy and not app.name):
        if registered is None:
            outcome = UNINITIALIZED
        else:
            syncing.absorb_placeholder(registered, placeholder)
    _store_outcome(at_url, outcome)
    return PingResult(outcome, registered or next(iter(at_url), None))


def _registered(environment_id: UUID, app_id: UUID | None, at_url: list[App]) -> App | None:
    """The app that the answer names, if it is one of ours."""
    if app_id is None:
        return None
    known = next((app for app in at_url if app.id == app_id), None)
    app = known or selectors.app_by_id(environment_id, app_id)
    return app if app is not None and app.name else None


def _app_id_in(body: bytes) -> UUID | None:
    """Python answers with the register response as it came, which names the app (spec 01 4.3)."""
    try:
        return UUID(str(_json_object(body).get("app_id", "")))
    except ValueError:
        return None


def _json_object(body: bytes) -> dict[str, object]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
