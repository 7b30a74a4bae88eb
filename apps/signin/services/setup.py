"""The first visit of a fresh server: whoever reads its log becomes its owner (spec 05, 7.2)."""

import logging
import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import DatabaseError, transaction
from django.utils import timezone

from apps.audit.actors import Actor
from apps.audit.models import ActorKind
from apps.credentials.secrets import keyed_hash, keyed_hashes
from apps.identity.models import User
from apps.signin.models import SetupToken
from apps.signin.services.first_account import account_take_over
from apps.tenancy.models import Account

# Processes of one start each write a token to their log, and all of these hold.
_OF_ONE_START = timedelta(minutes=5)

logger = logging.getLogger(__name__)


class SetupRefused(Exception):
    """That is not the token of this server's last start, or somebody has set it up already."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def setup_token_issue() -> str | None:
    """A new token, in place of those of earlier starts; None once there is a user, or no database yet."""
    try:
        return _issue()
    except DatabaseError as problem:
        logger.warning("the database is not ready (run `manage.py migrate`): %s", problem)
        return None


@transaction.atomic
def _issue() -> str | None:
    if User.objects.exists():
        SetupToken.objects.all().delete()
        return None
    SetupToken.objects.filter(created_at__lt=timezone.now() - _OF_ONE_START).delete()
    token = secrets.token_urlsafe(24)
    SetupToken.objects.create(token_hash=keyed_hash(token))
    return token


@transaction.atomic
def server_set_up(
    *, token: str, organisation: str, name: str, email: str, password: str, ip: str | None = None
) -> tuple[User, Account]:
    """The owner, who also operates the installation, and the organisation, made from the default account.

    Raises SetupRefused, InvalidName. A token works once: its row is taken in this transaction.
    """
    taken, _ = SetupToken.objects.filter(token_hash__in=keyed_hashes(token.strip())).delete()
    if not taken or User.objects.exists():
        raise SetupRefused
    SetupToken.objects.all().delete()
    user = User.objects.create_superuser(email, password, name=name)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    actor = Actor(ActorKind.USER, str(user.id), user.email, ip=ip)
    return user, account_take_over(name=organisation, owner=user, actor=actor)
