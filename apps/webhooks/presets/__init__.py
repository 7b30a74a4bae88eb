"""Producers that are known (spec 05, 2.5): for each a folder with `preset.json`, `transform.js`, a `sample`
of what it sends and, where it checks who owns a URL, `respond.js`.

The samples are our own, in the form of the producers' documentation. A preset's `verification` lacks the
secret, which the producer shows.
"""

from functools import cache
from pathlib import Path
from typing import Final, Literal

import msgspec

from apps.webhooks.choices import Scheme

_ROOT: Final = Path(__file__).parent
DEFAULT_ID: Final = "generic"


class Sample(msgspec.Struct, frozen=True):
    """A delivery: `body` is read from the file beside `preset.json`; `event_names` are those it becomes."""

    file: str
    event_names: list[str]
    content_type: str = "application/json"
    headers: dict[str, str] = {}
    query: dict[str, list[str]] = {}
    body: str = ""


class PresetVerification(msgspec.Struct, frozen=True):
    scheme: Scheme
    options: dict[str, str | int] = {}
    secret_hint: str = ""


class Preset(msgspec.Struct, frozen=True):
    """`setup` tells in a sentence or two what to do on the producer's side."""

    id: str
    title: str
    setup: str
    sample: Sample
    kind: Literal["generic", "producer"] = "producer"
    verification: PresetVerification | None = None
    transform: str = ""
    respond: str = ""


@cache
def presets() -> dict[str, Preset]:
    """By id, the generic one first."""
    found = [_read(folder) for folder in _ROOT.iterdir() if (folder / "preset.json").is_file()]
    found.sort(key=lambda preset: (preset.kind != "generic", preset.title))
    return {preset.id: preset for preset in found}


def intent_transform(prefix: str) -> str:
    """What a third party's "connect" flow gets: names and data wherever they may be (spec 05, 2.5)."""
    template = (_ROOT / "intent.js").read_text()
    return template.replace('"PREFIX"', msgspec.json.encode(prefix).decode())


def _read(folder: Path) -> Preset:
    preset = msgspec.json.decode((folder / "preset.json").read_bytes(), type=Preset)
    sample = msgspec.structs.replace(preset.sample, body=(folder / preset.sample.file).read_text().strip())
    respond = folder / "respond.js"
    return msgspec.structs.replace(
        preset,
        sample=sample,
        transform=(folder / "transform.js").read_text(),
        respond=respond.read_text() if respond.exists() else "",
    )
