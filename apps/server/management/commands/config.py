"""`manage.py config check`: what a server would run with, and where each value comes from."""

import json
import os
import sys
from collections.abc import Iterable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandParser

from apps.devserver import sources
from apps.devserver.arguments import add_options, flags_of
from apps.devserver.option_table import BY_NAME, START_OPTIONS
from apps.devserver.sources import Reading
from apps.server.start_options import read_start_options, readings_of


class Command(BaseCommand):
    help = "Show the configuration of `manage.py start` with the same flags: values, sources, no secrets."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("check",))
        parser.add_argument("--as-json", action="store_true", help="for programs")
        add_options(parser, START_OPTIONS)

    def handle(self, *args: object, **given: object) -> None:
        flags = flags_of(given, START_OPTIONS)
        try:
            read_start_options(flags, os.environ, settings.DATA_DIR)
            options = readings_of(flags, os.environ)
        except ImproperlyConfigured as problem:
            self.stderr.write(f"Error: {problem}")
            sys.exit(1)
        found = effective(options, sources.readings.values())
        self.stdout.write(_json(found) if given["as_json"] else _table(found))


def effective(options: Iterable[Reading], settings_read: Iterable[Reading]) -> list[Reading]:
    """Options go before the settings that they stand for."""
    options = list(options)
    covered = {name for reading in options for name in _variables(reading)}
    others = [reading for reading in settings_read if reading.name not in covered]
    return sorted([*options, *others], key=lambda reading: reading.name.lstrip("-").lower())


def _variables(reading: Reading) -> tuple[str, ...]:
    return BY_NAME[reading.name.removeprefix("--")].environment_names


def _table(readings: list[Reading]) -> str:
    rows = [(reading.name, reading.shown or "-", reading.source) for reading in readings]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(
        f"{name:<{widths[0]}}  {value:<{widths[1]}}  {source}".rstrip() for name, value, source in rows
    )


def _json(readings: list[Reading]) -> str:
    lines = [{"name": reading.name, "value": reading.shown, "source": reading.source} for reading in readings]
    return json.dumps(lines, indent=2)
