"""manage.py rekey: encrypt stored credentials with the first of STEPWELL_ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.credentials.services.rekeying import credentials_rekey


class Command(BaseCommand):
    help = "Encrypt stored credentials anew, with the first of the server's encryption keys"

    def handle(self, *args: Any, **options: Any) -> None:
        outcome = credentials_rekey()
        self.stdout.write(f"{outcome.rewritten} credentials encrypted anew")
        if outcome.unreadable:
            raise CommandError(f"{outcome.unreadable} credentials were encrypted with a key that is not here")
