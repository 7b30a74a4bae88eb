"""The configuration file: where it is looked for, and what it says (spec 03 9.4)."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from django.core.exceptions import ImproperlyConfigured

from apps.devserver.option_table import BY_NAME

FILE_NAMES = tuple(
    f"{product}.{ending}" for product in ("stepwell", "inngest") for ending in ("json", "yaml", "yml", "toml")
)
# Keys of the other commands that share the file, and another spelling.
_FOREIGN_KEYS = frozenset({"api-host", "api-port", "prod", "env"})
_ALIASES = {"urls": "sdk-url"}


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """`values` maps option names to what the file says, as parsed."""

    path: Path | None = None
    values: Mapping[str, object] = field(default_factory=dict)


def load_config_file(path: Path) -> ConfigFile:
    """Raises `ImproperlyConfigured`, one sentence that names the file."""
    try:
        document = _parse(path)
    except (OSError, UnicodeDecodeError) as problem:
        raise ImproperlyConfigured(f"{path} cannot be read: {problem}") from None
    except (ValueError, yaml.YAMLError) as problem:
        raise ImproperlyConfigured(f"{path} is malformed: {' '.join(str(problem).split())}") from None
    if not isinstance(document, dict):
        raise ImproperlyConfigured(f"{path} must hold option names and their values")
    return ConfigFile(path, dict(_known_values(path, document)))


def find_config_file(start: Path, home: Path) -> Path | None:
    """In `start`, then in each folder above it, then in the person's configuration folders."""
    folders = [start, *start.parents, home / ".config" / "stepwell", home / ".config" / "inngest"]
    candidates = (folder / name for folder in folders for name in FILE_NAMES)
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _parse(path: Path) -> object:
    content = path.read_text()
    if path.suffix == ".json":
        return json.loads(content)
    if path.suffix == ".toml":
        return tomllib.loads(content)
    if path.suffix in (".yaml", ".yml"):
        return yaml.safe_load(content) or {}
    raise ImproperlyConfigured(f"{path} must end in .yaml, .yml, .json or .toml")


def _known_values(path: Path, document: dict[object, object]) -> Iterator[tuple[str, object]]:
    for key, value in document.items():
        name = _ALIASES.get(str(key), str(key))
        if name in BY_NAME:
            yield name, value
        elif name not in _FOREIGN_KEYS:
            raise ImproperlyConfigured(f"{path}: unknown key {key!r}")
