"""Topics of live updates: their names are also the names of the Channels groups that carry the hints.

`runs.<environment id>`: some run of the environment changed. `run.<run id>`: this run changed.
A hint is the message `{"type": "hint", "run_id": ..., "version": ...}` to both groups.
"""

import re
import uuid
from dataclasses import dataclass
from typing import Final

_TOPIC: Final = re.compile(r"^(runs?)\.([0-9A-Za-z-]{1,36})$")


@dataclass(frozen=True, slots=True)
class Topic:
    """`run_id` or `environment_id` is set, never both."""

    name: str
    run_id: str = ""
    environment_id: uuid.UUID | None = None

    def is_about(self, run_id: str) -> bool:
        """A hint does not say by which group it came: a list's topic is about every run."""
        return self.environment_id is not None or self.run_id == run_id


def parse_topic(name: str) -> Topic | None:
    """None for anything that is not a topic, such as `runs.` with an id that is no UUID."""
    match = _TOPIC.match(name)
    if match is None:
        return None
    kind, ident = match.groups()
    if kind == "run":
        return Topic(name, run_id=ident)
    try:
        return Topic(name, environment_id=uuid.UUID(ident))
    except ValueError:
        return None


def run_topic(run_id: str) -> str:
    return f"run.{run_id}"


def runs_topic(environment_id: uuid.UUID) -> str:
    return f"runs.{environment_id}"
