"""The longest names that people may give, without a space: `python -m tests.browser.seed long-names`."""

from typing import Final

from apps.credentials.models import ApiKey, EventKey
from apps.identity.models import User
from apps.tenancy.models import Account, Environment, Invitation
from apps.webhooks.models import Delivery

LONG: Final = "Departementsabhängigkeitsverwaltungs" * 3
NAME: Final = LONG[:100]


def write() -> None:
    """Over the data of `tenants`: slugs and addresses of pages stay as they are."""
    Account.objects.filter(slug="acme").update(name=NAME)
    User.objects.exclude(email__startswith="audrey").update(name=NAME)
    User.objects.filter(email__startswith="audrey").update(name="", email=f"{'a' * 60}@{'b' * 60}.test")
    Environment.objects.filter(slug__in=["production", "staging", "main"]).update(name=NAME)
    EventKey.objects.update(name=NAME)
    for number, key in enumerate(ApiKey.objects.order_by("created_at")):
        ApiKey.objects.filter(pk=key.pk).update(name=f"{NAME[:98]}{number:02}")
    Invitation.objects.update(email=f"{'c' * 60}@{'d' * 60}.test")
    Delivery.objects.update(error=NAME, event_names=[NAME, NAME], headers={NAME: NAME})
