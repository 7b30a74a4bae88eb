"""`manage.py dev`: the whole platform on this machine, in one terminal."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandParser

from apps.devserver.errors import StartError
from apps.devserver.logs import LogPrinter
from apps.devserver.option_table import OPTIONS, Kind, Option
from apps.devserver.options import read_options
from apps.devserver.session import run_platform


class Command(BaseCommand):
    help = "Run the whole platform on this machine: embedded Valkey, web, worker and scheduler."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        for option in OPTIONS:
            _add_argument(parser, option)

    def handle(self, *args: object, **given: object) -> None:
        flags = {option.name: given[option.name.replace("-", "_")] for option in OPTIONS}
        try:
            options = read_options(flags, os.environ, settings.DATA_DIR)
            printer = LogPrinter(sys.stdout, coloured=_is_coloured(given), as_json=options.json_logs)
            run_platform(options, printer, settings.BASE_DIR, settings.STEPWELL_SHARD)
        except (ImproperlyConfigured, StartError) as problem:
            self.stderr.write(f"Error: {problem}")
            sys.exit(1)
        except KeyboardInterrupt:
            return


def _add_argument(parser: CommandParser, option: Option) -> None:
    """None stands for "not given"; values stay text, for the option's own reader to judge."""
    names = (*((f"-{option.short}",) if option.short else ()), f"--{option.name}")
    match option.kind:
        case Kind.SWITCH:
            parser.add_argument(*names, help=option.help, action="store_const", const=True)
        case Kind.WORDS:
            parser.add_argument(*names, help=option.help, action="append")
        case Kind.TEXT | Kind.INTEGER:
            parser.add_argument(*names, help=option.help)


def _is_coloured(given: dict[str, object]) -> bool:
    if given["no_color"] or "NO_COLOR" in os.environ:
        return False
    return bool(given["force_color"]) or sys.stdout.isatty()
