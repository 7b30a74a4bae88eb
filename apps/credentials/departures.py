"""Who leaves an organisation leaves their tokens of it behind."""

from uuid import UUID

from django.utils import timezone

from apps.credentials.models import PersonalToken


def revoke_tokens(account_id: UUID, user_id: UUID) -> None:
    rows = PersonalToken.objects.filter(account_id=account_id, user_id=user_id, revoked_at=None)
    rows.update(revoked_at=timezone.now())
