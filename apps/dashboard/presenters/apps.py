"""Apps as cards: health, what went wrong in words, SDK."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.urls import reverse

from apps.dashboard.presenters.statuses import Badge
from apps.registry.models import App, Function

MAX_LISTED_FUNCTIONS: Final = 12
MAX_LISTED_WARNINGS: Final = 10
_SYNCED: Final = Badge("Synced", "ok", "circle-check")
_FAILING: Final = Badge("Sync failed", "bad", "circle-x")
_NEVER: Final = Badge("Not synced yet", "quiet", "circle-dashed")

# Code of spec 03, 6.10 -> what it means, what to do about it.
_ERRORS: Final = {
    "unreachable": ("Unreachable", "Nothing answers at this URL. Is the app running, and on this port?"),
    "url_not_found": ("Not found", "The app answers, but not at this path. Is it served at another one?"),
    "not_sdk": ("Not an Inngest app", "Something answers at this URL, but it serves no functions."),
    "no_functions": ("No functions", "The app serves no functions. Pass them to its serve handler."),
    "app_uninitialized": ("Uses another server", "The app answered, but registered itself elsewhere."),
    "unauthorized": ("Unauthorised", "The app refused the request (401)."),
    "forbidden": ("Forbidden", "The app refused the request (403)."),
    "internal_server_error": ("The app failed", "The app answered with status 500; its log says why."),
    "invalid_signing_key": ("Invalid signing key", "The app and this server have different signing keys."),
    "invalid_function": ("Invalid function", "The app's configuration of a function is not acceptable."),
    "sdk_version_denied": ("SDK version refused", "This server does not accept this version of the SDK."),
    "unsupported_protocol": ("Unsupported protocol", "Only http and https URLs can be called."),
    "env_archived": ("Environment archived", "Unarchive the environment, then sync the app again."),
}

ERROR_TITLES: Final = {code: title for code, (title, _) in _ERRORS.items()}


@dataclass(frozen=True, slots=True)
class FunctionLink:
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class AppCard:
    """`warnings` are settings that the last sync took and that have no effect, `more_warnings` how many are
    not listed."""

    id: UUID
    title: str
    badge: Badge
    url: str
    sdk: str
    framework: str
    autodiscovered: bool
    synced_at_ms: int | None
    function_count: int
    functions: tuple[FunctionLink, ...]
    syncs_url: str
    error: str
    error_title: str
    error_hint: str
    error_detail: str
    warnings: tuple[str, ...]
    more_warnings: int


def app_card(
    app: App, functions: Sequence[Function], synced_at_ms: int | None, warnings: Sequence[str]
) -> AppCard:
    title, hint = error_texts(app.error)
    return AppCard(
        id=app.id,
        title=app.name or app.url,
        badge=_badge(app, synced_at_ms),
        url=app.url,
        sdk=" ".join(filter(None, (app.sdk_language, app.sdk_version))),
        framework=app.framework,
        autodiscovered=app.autodiscovered,
        synced_at_ms=synced_at_ms,
        function_count=len(functions),
        functions=tuple(_link(function) for function in functions[:MAX_LISTED_FUNCTIONS]),
        syncs_url=reverse("dashboard:app-syncs", args=[app.id]),
        error=app.error,
        error_title=title,
        error_hint=hint,
        error_detail=app.error_detail if app.error_detail != app.error else "",
        warnings=tuple(warnings[:MAX_LISTED_WARNINGS]),
        more_warnings=max(0, len(warnings) - MAX_LISTED_WARNINGS),
    )


def error_texts(code: str) -> tuple[str, str]:
    """What the code means, and what to do about it."""
    return _ERRORS.get(code, ("Sync failed", code))


def _badge(app: App, synced_at_ms: int | None) -> Badge:
    if app.error:
        return _FAILING
    return _NEVER if synced_at_ms is None else _SYNCED


def _link(function: Function) -> FunctionLink:
    return FunctionLink(function.name, reverse("dashboard:function", args=[function.slug]))
