"""What stands above every page of a place that is not as usual; the outermost reason comes first."""

from collections.abc import Iterator
from dataclasses import dataclass

from apps.dashboard.places import organisation_url
from apps.tenancy.access import Access
from apps.tenancy.models import AccountStatus

MAX_BANNERS = 2


@dataclass(frozen=True, slots=True)
class Banner:
    tone: str
    icon: str
    text: str
    url: str = ""
    action: str = ""


def banners_of(access: Access) -> list[Banner]:
    return list(_banners(access))[:MAX_BANNERS]


def _banners(access: Access) -> Iterator[Banner]:
    account, environment = access.account, access.environment
    if access.is_support:
        text = f"You look into {account.name} as an operator: read-only, for a limited time, and on record."
        yield Banner("wait", "eye", text, "/support/end", "End")
    if account.status == AccountStatus.SUSPENDED:
        text = "This organisation is suspended. Everything can be read, nothing changed."
        yield Banner("bad", "ban", f"{text} The operator of this server can lift that.")
    elif account.status == AccountStatus.DELETING and account.delete_at:
        text = f"This organisation is deleted on {account.delete_at:%d %B %Y, %H:%M} UTC, and read-only."
        yield Banner("bad", "trash-2", text, organisation_url(account, "general"), "Settings")
    if environment is not None and environment.is_archived:
        text = "This environment is archived. Nothing triggers in it; everything can still be read."
        yield Banner("wait", "archive", text, organisation_url(account, "environments"), "Environments")
