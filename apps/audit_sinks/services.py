"""Setting up where an audit log is sent on to, and ending that. Both are in the log."""

import secrets as random
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.audit.models import AuditHead
from apps.audit.services import Actor, audit_record
from apps.audit_sinks.models import AuditSink
from apps.credentials import secrets
from apps.credentials.services.rekeying import Rekeyed
from apps.tenancy import locks
from apps.tenancy.exceptions import NotFound, TenancyError
from apps.tenancy.models import Account
from apps.tenancy.services.guards import require_writable

MAX_URL = 2_000


class BadSinkUrl(TenancyError):
    """This has to be an https URL, without a user or a password in it."""

    code = "audit_sink_url"
    status = 422
    about = "url"


@transaction.atomic
def sink_set(*, account: Account, url: str, actor: Actor) -> str:
    """Send entries from now on to the URL, or to another one than before; the secret that requests are signed
    with, which nobody sees again. A sink that exists goes on where it is, with a new secret.

    Raises BadSinkUrl, AccountSuspended, AccountDeleting.
    """
    host = _host_of(url)
    locked = locks.lock_account(account.id)
    require_writable(locked)
    before = AuditSink.objects.filter(account=locked).first()
    secret = f"audit-sink-{random.token_hex(32)}"
    values = {
        "host": host,
        "url_encrypted": secrets.encrypt(url),
        "secret_encrypted": secrets.encrypt(secret),
        "due_at": timezone.now(),
        "failures": 0,
        "last_error": "",
    }
    AuditSink.objects.update_or_create(
        account=locked, defaults=values, create_defaults=values | {"cursor": _last_number(locked.id)}
    )
    _audit(locked, actor, "audit.sink_set", {"host": before.host if before else None}, {"host": host})
    return secret


@transaction.atomic
def sink_remove(*, account: Account, actor: Actor) -> None:
    """Raises NotFound where there is none."""
    locked = locks.lock_account(account.id)
    sink = AuditSink.objects.filter(account=locked).first()
    if sink is None:
        raise NotFound
    sink.delete()
    _audit(locked, actor, "audit.sink_remove", {"host": sink.host}, {})


def secrets_rekey() -> Rekeyed:
    """What is changed meanwhile stays the new one."""
    outcomes = [_rewrite(sink) for sink in AuditSink.objects.all()]
    return Rekeyed(outcomes.count(True), outcomes.count(False))


def _rewrite(sink: AuditSink) -> bool:
    try:
        url, secret = secrets.decrypt(sink.url_encrypted), secrets.decrypt(sink.secret_encrypted)
    except secrets.SecretUnreadable:
        return False
    rows = AuditSink.objects.filter(pk=sink.pk, secret_encrypted=sink.secret_encrypted)
    rows.update(url_encrypted=secrets.encrypt(url), secret_encrypted=secrets.encrypt(secret))
    return True


def _host_of(url: str) -> str:
    """Raises BadSinkUrl. Where private networks may be called, so may plain http."""
    schemes = ("https", "http") if settings.STEPWELL_ALLOW_PRIVATE_NETWORKS else ("https",)
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise BadSinkUrl from None
    is_plain = parts.username is None and parts.password is None and url.isprintable() and " " not in url
    if parts.scheme not in schemes or not host or not is_plain or len(url) > MAX_URL:
        raise BadSinkUrl
    return f"{host}{port}"[:253]


def _last_number(account_id: UUID) -> int:
    head = AuditHead.objects.filter(account_id=account_id).first()
    return head.number if head else 0


def _audit(
    account: Account, actor: Actor, action: str, before: dict[str, str | None], after: dict[str, str | None]
) -> None:
    audit_record(
        account_id=account.id,
        actor=actor,
        action=action,
        target_type="audit_log",
        target_id=account.id,
        target_label=account.name,
        before=before,
        after=after,
    )
