"""`manage.py dev`: the whole platform on this machine, in one terminal."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandParser

from apps.devserver.arguments import add_options, flags_of, is_coloured
from apps.devserver.errors import StartError
from apps.devserver.logs import LogPrinter
from apps.devserver.option_table import OPTIONS
from apps.devserver.options import read_options
from apps.devserver.session import run_platform


class Command(BaseCommand):
    help = "Run the whole platform on this machine: embedded Valkey, web, worker and scheduler."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_options(parser, OPTIONS)

    def handle(self, *args: object, **given: object) -> None:
        try:
            options = read_options(flags_of(given, OPTIONS), os.environ, settings.DATA_DIR)
            printer = LogPrinter(sys.stdout, coloured=is_coloured(given), as_json=options.json_logs)
            run_platform(options, printer, settings.BASE_DIR, settings.STEPWELL_SHARD)
        except (ImproperlyConfigured, StartError) as problem:
            self.stderr.write(f"Error: {problem}")
            sys.exit(1)
        except KeyboardInterrupt:
            return
