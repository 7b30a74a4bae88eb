"""Whether there is an organisation besides the one of the keys that `start` is given; `start` asks this."""

import sys

from django.core.management.base import BaseCommand

from apps.tenancy.models import DEV_ACCOUNT_ID, Account, Membership

NO_TENANTS = 3


class Command(BaseCommand):
    help = "Exit with 0 when somebody has made an organisation, and with 3 when nobody has."
    requires_system_checks: list[str] = []

    def handle(self, *args: object, **options: object) -> None:
        has_others = Account.objects.exclude(id=DEV_ACCOUNT_ID).exists()
        if not has_others and not Membership.objects.exists():
            sys.exit(NO_TENANTS)
