"""`manage.py start`: the self-hosted server."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandParser

from apps.devserver.arguments import add_options, flags_of, is_coloured
from apps.devserver.errors import StartError
from apps.devserver.logs import LogPrinter
from apps.devserver.option_table import START_OPTIONS
from apps.server.session import run_server
from apps.server.start_options import read_start_options


class Command(BaseCommand):
    help = "Run a server for others: keys required, PostgreSQL and Redis from flags or the environment."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_options(parser, START_OPTIONS)

    def handle(self, *args: object, **given: object) -> None:
        try:
            options = read_start_options(flags_of(given, START_OPTIONS), os.environ, settings.DATA_DIR)
            as_json = options.common.json_logs or _asks_for_json()
            printer = LogPrinter(sys.stdout, coloured=is_coloured(given), as_json=as_json)
            run_server(
                options,
                printer,
                settings.BASE_DIR,
                settings.STEPWELL_SHARD,
                settings.STEPWELL_DRAIN_SECONDS,
            )
        except (ImproperlyConfigured, StartError) as problem:
            self.stderr.write(f"Error: {problem}")
            sys.exit(1)
        except KeyboardInterrupt:
            return


def _asks_for_json() -> bool:
    """What the environment says; else lines for people only where a person looks (spec 03, 9.1)."""
    asked = os.environ.get("STEPWELL_LOG_FORMAT") or os.environ.get("LOG_HANDLER")
    return asked.lower() == "json" if asked else not sys.stdout.isatty()
