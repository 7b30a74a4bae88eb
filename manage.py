#!/usr/bin/env python
"""Entry point of every command: finds both source roots, then hands over to Django."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


# Commands of a server; everything else is development, unless DJANGO_SETTINGS_MODULE says otherwise.
SERVER_COMMANDS = (["start"], ["config"])


def _settings_module(command: list[str]) -> str:
    return "config.settings.production" if command in SERVER_COMMANDS else "config.settings.dev"


def main() -> None:
    for source_root in (str(ROOT), str(ROOT / "platform")):
        if source_root not in sys.path:
            sys.path.insert(0, source_root)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", _settings_module(sys.argv[1:2]))
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(f"Error: {problem}")


if __name__ == "__main__":
    main()
