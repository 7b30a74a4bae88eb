"""Options as arguments of a command."""

import os
import sys
from collections.abc import Mapping, Sequence

from django.core.management.base import CommandParser

from apps.devserver.option_table import Kind, Option


def add_options(parser: CommandParser, options: Sequence[Option]) -> None:
    for option in options:
        _add_argument(parser, option)


def flags_of(given: Mapping[str, object], options: Sequence[Option]) -> dict[str, object]:
    """By option name; None where it was not given."""
    return {option.name: given[option.name.replace("-", "_")] for option in options}


def is_coloured(given: Mapping[str, object]) -> bool:
    if given["no_color"] or "NO_COLOR" in os.environ:
        return False
    return bool(given["force_color"]) or sys.stdout.isatty()


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
