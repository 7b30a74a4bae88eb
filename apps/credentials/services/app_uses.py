"""Noting which signing key an app authenticates with."""

from uuid import UUID

from django.utils import timezone

from apps.credentials.models import AppKeyUse, SigningKey


def app_key_use_record(*, app_id: UUID, environment_id: UUID, signing_key_id: str) -> None:
    """Idempotent. Nothing for a key that is not stored, such as one that the server was started with."""
    if not signing_key_id or not SigningKey.objects.filter(id=signing_key_id).exists():
        return
    AppKeyUse.objects.update_or_create(
        app_id=app_id,
        defaults={
            "environment_id": environment_id,
            "signing_key_id": UUID(signing_key_id),
            "seen_at": timezone.now(),
        },
    )
