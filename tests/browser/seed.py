"""Data for the browser tests, and for looking at the pages: `python -m tests.browser.seed [command]`.

Everything of history goes through the history store, as records of the engine. Commands: `full`
(default), `progress` (the running run goes on), `finish` (it ends), `arrive` and
`arrive-another` (one more run starts), `event` (one arrives), `hint` (of nothing new), `refusals` (requests
that were refused at the door), `tenants` (everything in server mode, with organisations and people),
`long-names` (after that, names of 100 characters).
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def set_up_django() -> None:
    sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    import django

    django.setup()


def main(arguments: Sequence[str]) -> None:
    set_up_django()
    from tests.browser import seed_history, seed_long_names, seed_refusals, seed_registry, seed_tenants

    commands = {
        "full": seed_history.write_full,
        "progress": seed_history.write_progress,
        "finish": seed_history.write_finish,
        "arrive": seed_history.write_arrival,
        "arrive-another": seed_history.write_another_arrival,
        "event": seed_history.write_event,
        "hint": seed_history.hint_only,
        "refusals": seed_refusals.write,
        "tenants": seed_tenants.write,
        "long-names": seed_long_names.write,
    }
    command = arguments[0] if arguments else "full"
    if command == "full":
        seed_registry.write()
    commands[command]()


if __name__ == "__main__":
    main(sys.argv[1:])
