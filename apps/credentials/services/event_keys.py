"""Event keys (spec 05, 2.1). What is webhook of them is in apps/webhooks, over the same rows."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.audit.services import Actor
from apps.credentials import filters, formats, secrets
from apps.credentials.exceptions import CredentialNotFound, InvalidFilter, NotRenamable
from apps.credentials.filters import FilterInvalid
from apps.credentials.models import EventKey, FilterMode, KeySource
from apps.credentials.services import changes
from apps.tenancy.models import Environment
from apps.tenancy.row_security import across_environments

_QUOTAS = {KeySource.KEY: "event_keys", KeySource.INTEGRATION: "event_keys", KeySource.WEBHOOK: "webhooks"}


@transaction.atomic
def event_key_create(
    *,
    environment: Environment,
    name: str,
    actor: Actor,
    source: KeySource = KeySource.KEY,
    is_default: bool = False,
) -> EventKey:
    """Raises InvalidName, KeyLimit, KeysOfParent, EnvironmentArchived, AccountSuspended, AccountDeleting."""
    account = changes.lock_writable(environment)
    changes.refuse_archived(environment)
    live = EventKey.objects.filter(account=account).filter(_not_revoked())
    same = live.filter(source=KeySource.WEBHOOK) if source == KeySource.WEBHOOK else _without_webhooks(live)
    with across_environments():
        count = same.count()
    changes.refuse_beyond(account, _QUOTAS[source], count)
    value = formats.new_event_key()
    key = EventKey.objects.create(
        account=account,
        environment=environment,
        name=changes.cleaned_name(name),
        source=source,
        value_hash=secrets.keyed_hash(value),
        value_encrypted=secrets.encrypt(value),
        prefix=formats.event_key_prefix(value),
        is_default=is_default,
        created_by=changes.creator_of(actor),
    )
    changes.announce(key)
    changes.record(key, actor, f"{_family(key)}.create", key.name, after={"name": key.name})
    return key


@transaction.atomic
def event_key_rename(*, event_key: EventKey, name: str, actor: Actor) -> EventKey:
    """Raises InvalidName, NotRenamable, CredentialNotFound."""
    cleaned = changes.cleaned_name(name)
    key = _locked(event_key)
    if key.source == KeySource.INTEGRATION:
        raise NotRenamable
    before, key.name = key.name, cleaned
    key.save(update_fields=["name"])
    changes.announce(key)
    changes.record(key, actor, f"{_family(key)}.rename", cleaned, {"name": before}, {"name": cleaned})
    return key


@transaction.atomic
def event_key_set_filter(
    *, event_key: EventKey, mode: FilterMode, events: Iterable[str], ips: Iterable[str], actor: Actor
) -> EventKey:
    """Without any entry the mode becomes deny: an empty list of what is allowed would refuse everything.

    Raises InvalidFilter, CredentialNotFound.
    """
    try:
        names, networks = filters.clean_events(events), filters.clean_ips(ips)
    except FilterInvalid as problem:
        raise InvalidFilter(str(problem)) from None
    key = _locked(event_key)
    before = _filter_of(key)
    key.filter_mode = mode if names or networks else FilterMode.DENY
    key.filter_events, key.filter_ips = names, networks
    key.save(update_fields=["filter_mode", "filter_events", "filter_ips"])
    changes.announce(key)
    changes.record(key, actor, f"{_family(key)}.filter", key.name, before, _filter_of(key))
    return key


@transaction.atomic
def event_key_revoke(*, event_key: EventKey, actor: Actor, at: datetime | None = None) -> EventKey:
    """Now, or at a time to come, which may be moved until it has come. Idempotent.

    Raises InvalidExpiry for a time in the past, CredentialNotFound.
    """
    changes.refuse_past(at)
    changes.lock_writable(event_key.environment)
    key = EventKey.objects.filter(id=event_key.id).first()
    if key is None:
        raise CredentialNotFound
    if key.revoked_at is not None and key.revoked_at <= timezone.now():
        return key
    before, key.revoked_at = key.revoked_at, at or timezone.now()
    key.save(update_fields=["revoked_at"])
    changes.announce(key)
    changes.record(
        key,
        actor,
        f"{_family(key)}.revoke",
        key.name,
        {"revoked_at": before},
        {"revoked_at": key.revoked_at},
    )
    return key


@transaction.atomic
def event_key_reveal(*, event_key: EventKey, actor: Actor) -> str:
    """The value, on record. Raises SecretUnreadable."""
    value = secrets.decrypt(event_key.value_encrypted)
    changes.record(event_key, actor, f"{_family(event_key)}.reveal", event_key.name)
    return value


def _locked(event_key: EventKey) -> EventKey:
    """The key as it is now, with its account locked. Raises CredentialNotFound where it is revoked."""
    changes.lock_writable(event_key.environment)
    key = EventKey.objects.filter(_not_revoked(), id=event_key.id).first()
    if key is None:
        raise CredentialNotFound
    return key


def _not_revoked() -> Q:
    return Q(revoked_at__isnull=True) | Q(revoked_at__gt=timezone.now())


def _without_webhooks(rows: QuerySet[EventKey]) -> QuerySet[EventKey]:
    return rows.exclude(source=KeySource.WEBHOOK)


def _family(key: EventKey) -> str:
    return "webhook" if key.source == KeySource.WEBHOOK else "key.event"


def _filter_of(key: EventKey) -> dict[str, object]:
    return {"mode": key.filter_mode, "events": key.filter_events, "ips": key.filter_ips}
