"""`manage.py queue`: looking into the queue and controlling its workers, for operators.

Each subcommand is a module of `apps/operations/management/queue` with HELP, `add_arguments` and `run`, which
returns the exit code.
"""

import sys
from types import ModuleType
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser
from kombu.exceptions import OperationalError

from apps.engine.store.client import RedisUnavailable
from apps.operations.management.queue import drain, inspect, verify

SUBCOMMANDS: Final[dict[str, ModuleType]] = {"inspect": inspect, "drain": drain, "verify": verify}
UNREACHABLE: Final = 3


class Command(BaseCommand):
    help = "Look into the queue, and control its workers."

    def add_arguments(self, parser: CommandParser) -> None:
        subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
        for name, module in SUBCOMMANDS.items():
            module.add_arguments(subparsers.add_parser(name, help=module.HELP, description=module.HELP))

    def handle(self, *args: object, **options: Any) -> None:
        try:
            code = SUBCOMMANDS[options["subcommand"]].run(self.stdout, self.stderr, options)
        except (RedisUnavailable, OperationalError) as problem:
            self.stderr.write(f"Error: Redis is not reachable: {problem}")
            code = UNREACHABLE
        if code:
            sys.exit(code)
