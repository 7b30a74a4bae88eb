"""Making and changing webhooks. The key's part of it is apps/credentials/services/event_keys.py's."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.audit.services import Actor, audit_record
from apps.credentials import secrets
from apps.credentials.models import FilterMode, KeySource
from apps.credentials.services import changes
from apps.credentials.services.event_keys import (
    event_key_create,
    event_key_rename,
    event_key_reveal,
    event_key_revoke,
    event_key_set_filter,
)
from apps.tenancy.models import Environment
from apps.webhooks.choices import Scheme
from apps.webhooks.configs import process_configs
from apps.webhooks.exceptions import UnknownPreset, VerificationInvalid, WebhookNotFound
from apps.webhooks.models import Webhook
from apps.webhooks.presets import DEFAULT_ID, presets
from apps.webhooks.runtime.messages import Function
from apps.webhooks.services.scripts import script_check
from apps.webhooks.verification.config import ConfigInvalid, options_from, stored_options
from apps.webhooks.verification.signatures import base64_bytes

MAX_SECRET: Final = 1024
_MAX_DIFF: Final = 16 * 1024


def webhook_create(
    *,
    environment: Environment,
    name: str,
    actor: Actor,
    preset: str = DEFAULT_ID,
    transform: str = "",
    respond: str = "",
) -> Webhook:
    """With the preset's scripts where none are given; without verification, which needs a secret.

    Raises UnknownPreset, ScriptInvalid, ScriptsBusy, ScriptsUnavailable, and what `event_key_create` raises.
    """
    if preset not in presets():
        raise UnknownPreset
    if transform.strip():
        script_check(environment.account_id, transform, Function.CHECK)
    if respond.strip():
        script_check(environment.account_id, respond, Function.CHECK_RESPOND)
    template = presets()[preset]
    with transaction.atomic():
        key = event_key_create(environment=environment, name=name, actor=actor, source=KeySource.WEBHOOK)
        return Webhook.objects.create(
            key=key,
            preset=preset,
            transform=transform if transform.strip() else template.transform,
            respond=respond if respond.strip() else template.respond,
        )


def webhook_rename(*, webhook: Webhook, name: str, actor: Actor) -> Webhook:
    """Raises InvalidName, CredentialNotFound."""
    webhook.key = event_key_rename(event_key=webhook.key, name=name, actor=actor)
    return webhook


def webhook_set_scripts(
    *, webhook: Webhook, actor: Actor, transform: str | None = None, respond: str | None = None
) -> Webhook:
    """None leaves a script as it is; an empty `respond` takes the response function away.

    Raises ScriptInvalid, ScriptsBusy, ScriptsUnavailable, WebhookNotFound.
    """
    account_id = webhook.key.account_id
    if transform is not None:
        script_check(account_id, transform, Function.CHECK)
    if respond is not None and respond.strip():
        script_check(account_id, respond, Function.CHECK_RESPOND)
    return _save_scripts(webhook, actor, transform, respond)


@transaction.atomic
def _save_scripts(webhook: Webhook, actor: Actor, transform: str | None, respond: str | None) -> Webhook:
    locked = _locked(webhook)
    before = {"transform": locked.transform, "respond": locked.respond}
    locked.transform = locked.transform if transform is None else transform
    locked.respond = locked.respond if respond is None else respond.strip() and respond
    locked.save(update_fields=["transform", "respond", "updated_at"])
    after = {"transform": locked.transform, "respond": locked.respond}
    differences = {f"{name}_diff": _diff(before[name], after[name]) for name in after}
    _record(locked, actor, "webhook.script", after={k: v for k, v in differences.items() if v})
    return locked


def webhook_set_transform(*, webhook: Webhook, transform: str, actor: Actor) -> Webhook:
    """As `webhook_set_scripts`."""
    return webhook_set_scripts(webhook=webhook, transform=transform, actor=actor)


def webhook_update(
    *, webhook: Webhook, actor: Actor, name: str | None = None, transform: str | None = None
) -> Webhook:
    """Both, or nothing where one of them is refused; None leaves as it is, and so does what it is already.

    Raises what `webhook_rename` and `webhook_set_scripts` raise.
    """
    if transform is not None:
        script_check(webhook.key.account_id, transform, Function.CHECK)
    with transaction.atomic():
        updated = _locked(webhook)
        if name is not None and name.strip() != updated.name:
            updated = webhook_rename(webhook=updated, name=name, actor=actor)
        if transform is not None and transform != updated.transform:
            updated = _save_scripts(updated, actor, transform, None)
    return updated


def webhook_set_filters(
    *, webhook: Webhook, mode: FilterMode, events: Iterable[str], ips: Iterable[str], actor: Actor
) -> Webhook:
    """Event names are those that the transform gives. Raises InvalidFilter, CredentialNotFound."""
    key = event_key_set_filter(event_key=webhook.key, mode=mode, events=events, ips=ips, actor=actor)
    webhook.key = key
    _forget(webhook)
    return webhook


@transaction.atomic
def webhook_set_verification(
    *,
    webhook: Webhook,
    scheme: Scheme,
    actor: Actor,
    options: Mapping[str, object] | None = None,
    secret: str | None = None,
) -> Webhook:
    """None keeps the secret, as long as the scheme stays; nobody reads it again.

    Raises VerificationInvalid, WebhookNotFound.
    """
    try:
        checked = options_from(scheme, options or {})
    except ConfigInvalid as problem:
        raise VerificationInvalid(str(problem)) from None
    locked = _locked(webhook)
    keeps_secret = secret is None and scheme == locked.scheme and locked.has_secret
    if scheme != Scheme.NONE and not keeps_secret:
        _check_secret(scheme, secret or "")
    before = _verification(locked)
    locked.scheme, locked.options = scheme, stored_options(checked)
    if scheme == Scheme.NONE:
        locked.secret_encrypted, locked.secret_set_at = "", None
    elif not keeps_secret:
        locked.secret_encrypted, locked.secret_set_at = secrets.encrypt(secret or ""), timezone.now()
    locked.save(update_fields=["scheme", "options", "secret_encrypted", "secret_set_at", "updated_at"])
    after = {**_verification(locked), "has_new_secret": not keeps_secret and scheme != Scheme.NONE}
    _record(locked, actor, "webhook.verification", before=before, after=after)
    return locked


def webhook_reveal(*, webhook: Webhook, actor: Actor) -> str:
    """The key, which is the last part of the webhook's URL; on record. Raises SecretUnreadable."""
    return event_key_reveal(event_key=webhook.key, actor=actor)


@transaction.atomic
def webhooks_reveal(
    *, environment: Environment, webhooks: Sequence[Webhook], actor: Actor
) -> Mapping[UUID, str]:
    """The keys of several webhooks of the environment by the webhooks' ids; on record, as one entry.

    Raises SecretUnreadable.
    """
    values = {webhook.id: secrets.decrypt(webhook.key.value_encrypted) for webhook in webhooks}
    if values:
        audit_record(
            account_id=environment.account_id,
            actor=actor,
            action="webhook.reveal",
            target_type="environment",
            target_id=environment.id,
            target_label=environment.name,
            environment_id=environment.id,
            after={"count": len(values)},
        )
    return values


@transaction.atomic
def webhook_delete(*, webhook: Webhook, actor: Actor) -> None:
    """Its URL takes nothing more, and its scripts, secret and log are gone. Idempotent."""
    event_key_revoke(event_key=webhook.key, actor=actor)
    Webhook.objects.filter(key_id=webhook.key_id).delete()
    _forget(webhook)


def _locked(webhook: Webhook) -> Webhook:
    """As it is now, with its account locked. Raises WebhookNotFound."""
    changes.lock_writable(webhook.key.environment)
    found = Webhook.objects.select_related("key__environment").filter(key_id=webhook.key_id).first()
    if found is None or (found.key.revoked_at is not None and found.key.revoked_at <= timezone.now()):
        raise WebhookNotFound
    return found


def _record(
    webhook: Webhook,
    actor: Actor,
    action: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    _forget(webhook)
    changes.announce(webhook.key)
    changes.record(webhook.key, actor, action, webhook.key.name, before, after)


def _forget(webhook: Webhook) -> None:
    """In this process at once; the others hear of it."""
    account_id = webhook.key.account_id
    transaction.on_commit(lambda: process_configs.forget_account(account_id))


def _diff(before: str, after: str) -> str:
    """Of two scripts, as people read it; empty where they are the same."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=2)
    text = "\n".join(lines)
    return text if len(text) <= _MAX_DIFF else f"{text[:_MAX_DIFF]}\n…"


def _verification(webhook: Webhook) -> dict[str, object]:
    return {"scheme": webhook.scheme, "options": dict(webhook.options), "has_secret": webhook.has_secret}


def _check_secret(scheme: Scheme, secret: str) -> None:
    if not secret or len(secret) > MAX_SECRET or not secret.isprintable():
        raise VerificationInvalid(f"A secret of 1 to {MAX_SECRET} printable characters is needed")
    if scheme == Scheme.SVIX and not base64_bytes(secret.removeprefix("whsec_")):
        raise VerificationInvalid("The secret begins with whsec_, and base64 follows")
