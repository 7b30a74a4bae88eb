"""What no foreign key leads to when an organisation goes: whom its identity providers have signed in."""

from collections.abc import Sequence
from uuid import UUID

from allauth.socialaccount.models import SocialAccount

from apps.signin.models import SsoConnection
from apps.tenancy.models import Environment


def identities_erase(environment_ids: Sequence[UUID]) -> int:
    """With the last environments of an account; an account that keeps some of them keeps these, too."""
    going = Environment.objects.filter(id__in=environment_ids).values("account_id")
    staying = Environment.objects.filter(account_id__in=going).exclude(id__in=environment_ids)
    connections = SsoConnection.objects.filter(account_id__in=going).exclude(
        account_id__in=staying.values("account_id")
    )
    return sum(identities_forget(connection) for connection in connections)


def identities_forget(connection: SsoConnection) -> int:
    """Forget whom the connection has signed in; the users stay. How many there were."""
    count, _ = SocialAccount.objects.filter(provider=connection.provider_id).delete()
    return int(count)
