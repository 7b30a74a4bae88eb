"""Apps as users manage them: add a URL, change it, archive (spec 03 6.15, spec 02 12.6)."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.registry import app_urls, identities, locks, ping_outcome, selectors
from apps.registry.models import App
from apps.registry.services import ping, publication, reconcile
from apps.registry.services.ping import PingResult
from apps.tenancy.models import Environment


def app_create(environment_id: UUID, url: str) -> App:
    """Add the app at a URL and sync it; the real app if it registered, else a placeholder with `error`.

    Waits for the app's answer, at most 10 s per address. Raises AppUrlError for a text that is no URL.
    """
    placeholder = placeholder_ensure(environment_id, url)
    result = ping.app_ping(environment_id, app_urls.complete(url))
    return result.app or placeholder


def app_update(environment_id: UUID, app_id: UUID, url: str) -> App | None:
    """Move an app to another URL and sync it there; None for an unknown app. Raises AppUrlError."""
    normalised_url = app_urls.normalise(url)
    with transaction.atomic():
        app = locks.lock_app(environment_id, app_id)
        if app is None:
            return None
        _move(app, app_urls.complete(url), normalised_url)
    return ping.app_ping(environment_id, app_urls.complete(url)).app or app


def app_delete(environment_id: UUID, app_id: UUID) -> bool:
    """Archive an app with its functions: no new runs, no crons; runs in progress go on. False: unknown.

    A later sync of the app brings both back.
    """
    with transaction.atomic():
        app = locks.lock_app(environment_id, app_id)
        if app is None:
            return False
        if not app.name:
            app.delete()
            return True
        function_ids = reconcile.archive_functions(app)
        now = timezone.now()
        App.objects.filter(id=app.id).update(archived_at=now, updated_at=now, publish_pending=True)
        transaction.on_commit(lambda: publication.publish(app_id, function_ids))
    return True


def app_delete_by_name(environment_id: UUID, name: str) -> bool:
    """`app_delete` by the id chosen in the SDK."""
    app = selectors.app_by_name(environment_id, name)
    return app is not None and app_delete(environment_id, app.id)


def placeholder_ensure(environment_id: UUID, url: str) -> App:
    """The live app or placeholder at a URL; a new placeholder has the error `unreachable`.

    Raises AppUrlError.
    """
    normalised_url = app_urls.normalise(url)
    existing = selectors.app_by_url(environment_id, normalised_url)
    if existing is not None:
        return existing
    environment = Environment.objects.get(id=environment_id)
    values = {
        "id": identities.placeholder_id(environment_id, normalised_url),
        "account_id": environment.account_id,
        "url": app_urls.complete(url),
        "error": ping_outcome.UNREACHABLE,
    }
    app, _ = App.objects.get_or_create(
        environment_id=environment_id, name="", normalised_url=normalised_url, defaults=values
    )
    return app


def app_discovered(environment_id: UUID, url: str, result: PingResult) -> None:
    """Note what the port scan found at a URL; an app that did not sync stays visible with its error."""
    app, outcome = result.app, result.outcome
    if app is None:
        if outcome.is_healthy and selectors.is_any_app_synced(environment_id):
            return
        app = placeholder_ensure(environment_id, url)
        ping.store_outcome(
            environment_id, app.normalised_url, ping.UNINITIALIZED if outcome.is_healthy else outcome
        )
    App.objects.filter(id=app.id, autodiscovered=False).update(autodiscovered=True)


def _move(app: App, url: str, normalised_url: str) -> None:
    """Give the app another URL; a placeholder gives way to what is known there already."""
    other = selectors.app_by_url(app.environment_id, normalised_url)
    if not app.name and other is not None and other.id != app.id:
        app.delete()
        return
    app.url, app.normalised_url = url, normalised_url
    app.save(update_fields=["url", "normalised_url", "updated_at"])
