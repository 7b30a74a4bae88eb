"""The console's first page: how the server is, in a fixed number of queries, whatever it holds."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Q

from apps.dashboard.console.cards import Card, Fact
from apps.dashboard.console.configuration import Setting, configuration
from apps.dashboard.console.queue import queue_cards, shard_names
from apps.dashboard.console.stores import database_card, redis_card, roles_card
from apps.identity.models import User
from apps.registry.server_information import server_version
from apps.tenancy.models import Account, AccountStatus, Environment


@dataclass(frozen=True, slots=True)
class Overview:
    version: str
    mode: str
    totals: list[Fact]
    cards: list[Card]
    configuration: list[Setting]


def read_overview() -> Overview:
    queues = [card for shard in shard_names() for card in queue_cards(shard)]
    return Overview(
        version=server_version(),
        mode="development" if settings.STEPWELL_MODE == "dev" else "server",
        totals=_totals(),
        cards=[*queues, database_card(), redis_card(), roles_card()],
        configuration=configuration(),
    )


def _totals() -> list[Fact]:
    suspended = Count("pk", filter=Q(status=AccountStatus.SUSPENDED))
    accounts = Account.objects.aggregate(all=Count("pk"), suspended=suspended)
    people = User.objects.aggregate(all=Count("pk"), operators=Count("pk", filter=Q(is_staff=True)))
    live = Environment.objects.filter(archived_at=None).count()
    return [
        Fact("Organisations", f"{accounts['all']:,}"),
        Fact("Suspended", f"{accounts['suspended']:,}"),
        Fact("Environments", f"{live:,}"),
        Fact("People", f"{people['all']:,}"),
        Fact("Operators", f"{people['operators']:,}"),
    ]
