"""Reading credentials for pages and APIs. None of it leads to a secret."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.credentials.models import (
    ApiKey,
    AppKeyUse,
    EventKey,
    KeySource,
    PersonalToken,
    SigningKey,
    SigningKeyState,
)
from apps.tenancy.models import Environment


def event_keys_qs(environment: Environment) -> QuerySet[EventKey]:
    """The keys of the environment (of a branch: its parent's) that are good now, the default one first."""
    rows = EventKey.objects.select_related("created_by").defer("value_encrypted", "value_hash")
    rows = rows.filter(_is_live(), environment_id=environment.key_owner_id)
    return rows.exclude(source=KeySource.WEBHOOK).order_by("-is_default", "created_at", "id")


def event_key_for_sending(environment: Environment) -> EventKey | None:
    """What a test event is sent with: the default key, else the oldest."""
    rows = EventKey.objects.filter(_is_live(), environment_id=environment.key_owner_id)
    return rows.exclude(source=KeySource.WEBHOOK).order_by("-is_default", "created_at", "id").first()


def event_key_by_id(environment: Environment, key_id: UUID) -> EventKey | None:
    rows = EventKey.objects.filter(id=key_id, environment_id=environment.key_owner_id)
    return rows.exclude(source=KeySource.WEBHOOK).first()


def sender_by_id(environment_id: UUID, key_id: UUID) -> EventKey | None:
    """The event key or webhook that an event of the environment came with, revoked or not."""
    own_or_parents = Q(environment_id=environment_id) | Q(environment__branches__id=environment_id)
    rows = EventKey.objects.filter(own_or_parents, id=key_id).defer("value_encrypted", "value_hash")
    return rows.first()


def signing_keys(environment: Environment) -> list[SigningKey]:
    """The active key, the pending one, and the retired ones in their time of grace."""
    is_live = ~Q(state=SigningKeyState.RETIRED) | Q(retired_until__gt=timezone.now())
    rows = SigningKey.objects.select_related("created_by").filter(
        is_live, environment_id=environment.key_owner_id
    )
    order = {SigningKeyState.ACTIVE: 0, SigningKeyState.PENDING: 1, SigningKeyState.RETIRED: 2}
    return sorted(rows.order_by("-created_at"), key=lambda row: order[SigningKeyState(row.state)])


def signing_key_by_id(environment: Environment, key_id: UUID) -> SigningKey | None:
    return SigningKey.objects.filter(id=key_id, environment_id=environment.key_owner_id).first()


def app_key_uses(app_ids: Iterable[UUID]) -> dict[UUID, AppKeyUse]:
    """With which signing key each app last authenticated, and when."""
    rows = AppKeyUse.objects.select_related("signing_key").filter(app_id__in=list(app_ids))
    return {row.app_id: row for row in rows}


def api_keys_qs(account_id: UUID) -> QuerySet[ApiKey]:
    """Keys that are not revoked, expired ones too, the newest first."""
    rows = ApiKey.objects.select_related("environment", "created_by").defer("value_hash")
    return rows.filter(account_id=account_id, revoked_at__isnull=True).order_by("-created_at", "id")


def api_key_by_id(account_id: UUID, key_id: UUID) -> ApiKey | None:
    return ApiKey.objects.filter(account_id=account_id, id=key_id).first()


def tokens_qs(user_id: UUID, account_id: UUID | None = None) -> QuerySet[PersonalToken]:
    """A person's tokens that are not revoked, of one organisation or of all, the newest first."""
    rows = PersonalToken.objects.select_related("account").defer("value_hash")
    rows = rows.filter(user_id=user_id, revoked_at__isnull=True)
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    return rows.order_by("-created_at", "id")


def token_by_id(user_id: UUID, token_id: UUID) -> PersonalToken | None:
    """One of `tokens_qs`."""
    return tokens_qs(user_id).filter(id=token_id).first()


def _is_live() -> Q:
    return Q(revoked_at__isnull=True) | Q(revoked_at__gt=timezone.now())
