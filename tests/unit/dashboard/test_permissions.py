"""Every view of the dashboard asks for a permission, or is on the list of those that are for everybody."""

from collections.abc import Iterator

from django.urls import URLPattern

from apps.dashboard import organisation_urls, urls
from apps.tenancy.permissions import Permission

# Of anybody who may be in the place at all.
FOR_EVERYBODY = {"home", "manage", "palette"}
FOR_MEMBERS = {"home", "palette", "environments", "general", "members", "leave"}
# Each changes something, or shows a secret.
READING = {Permission.VIEW, Permission.DATA_READ}
READ_ONLY = {
    *("runs", "run", "run-payload", "events", "event", "event-payload", "functions", "function", "apps"),
    *(
        "run-beside",
        "event-keys",
        "event-key",
        "signing-key",
        "webhooks",
        "webhook",
        "webhook-delivery",
        "webhook-intent",
        "app-syncs",
        "unattached-syncs",
        "settings",
        "start",
    ),
}


def _asked(module: object) -> Iterator[tuple[str, Permission | None]]:
    for pattern in module.urlpatterns:  # type: ignore[attr-defined]
        assert isinstance(pattern, URLPattern)
        permission, _ = getattr(pattern.callback, "permissions", (None, None))
        yield str(pattern.name), permission


def test_every_page_of_an_environment_asks_for_a_permission() -> None:
    assert {name for name, permission in _asked(urls) if permission is None} == FOR_EVERYBODY


def test_every_page_of_an_organisation_asks_or_is_for_all_members() -> None:
    assert {name for name, permission in _asked(organisation_urls) if permission is None} == FOR_MEMBERS


def test_what_only_reads_is_known() -> None:
    assert {name for name, permission in _asked(urls) if permission in READING} == READ_ONLY
