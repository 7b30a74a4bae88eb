"""The options of one start: flag, then environment, then configuration file, then default (spec 03 9.4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from apps.devserver.config_file import ConfigFile, find_config_file, load_config_file
from apps.devserver.option_table import BY_NAME, OPTIONS, POOL_OPTIONS, Option
from apps.devserver.values import find_secret, parse_integer, parse_switch, parse_text, parse_words

DEFAULT_PORT = 8288
FSYNC_POLICIES = ("everysec", "always")
LOG_LEVELS = ("trace", "debug", "info", "warn", "warning", "error")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a value may come from. `flags` holds None for what was not given."""

    flags: Mapping[str, object]
    environment: Mapping[str, str]
    file: ConfigFile

    def find(self, name: str) -> tuple[str, object] | None:
        """The value that counts, with the name to blame for it."""
        if (flag := self.flags.get(name)) is not None:
            return f"--{name}", flag
        if (found := self._in_environment(BY_NAME[name])) is not None:
            return found
        if name in self.file.values:
            return f"{name} in {self.file.path}", self.file.values[name]
        return None

    def _in_environment(self, option: Option) -> tuple[str, str] | None:
        for variable in option.environment_names:
            value = self._variable(variable, option.is_secret)
            if value:
                return variable, value
        return None

    def _variable(self, variable: str, is_secret: bool) -> str | None:
        if is_secret:
            return find_secret(self.environment, variable)
        return self.environment.get(variable, "").strip()

    def text(self, name: str, default: str = "") -> str:
        found = self.find(name)
        return parse_text(*found) if found else default

    def integer(self, name: str, default: int, minimum: int, maximum: int) -> int:
        found = self.find(name)
        return parse_integer(*found, minimum, maximum) if found else default

    def switch(self, name: str) -> bool:
        found = self.find(name)
        return parse_switch(*found) if found else False

    def words(self, name: str) -> tuple[str, ...]:
        found = self.find(name)
        return parse_words(*found) if found else ()


@dataclass(frozen=True, slots=True)
class DevOptions:
    """Empty text means "not given". Intervals are in seconds."""

    host: str
    port: int
    data_dir: Path
    sqlite_dir: Path
    sdk_urls: tuple[str, ...]
    discovery: bool
    poll: bool
    poll_interval: int
    retry_interval: int
    queue_workers: int
    signing_key: str
    event_keys: tuple[str, ...]
    log_level: str
    json_logs: bool
    redis_url: str
    database_url: str
    valkey_fsync: str
    notes: tuple[str, ...]
    pool: tuple[tuple[str, int], ...] = ()  # options of the PostgreSQL pool that were given


def read_options(
    flags: Mapping[str, object], environment: Mapping[str, str], default_data_dir: Path
) -> DevOptions:
    """Raises `ImproperlyConfigured` with one sentence that names the flag, variable or file key to blame."""
    return options_from(open_sources(flags, environment), default_data_dir)


def options_from(sources: Sources, default_data_dir: Path) -> DevOptions:
    """As `read_options`."""
    data_dir = Path(sources.text("data-dir", str(default_data_dir))).absolute()
    return DevOptions(
        host=sources.text("host"),
        port=sources.integer("port", DEFAULT_PORT, 0, 65_535),
        data_dir=data_dir,
        sqlite_dir=Path(sources.text("sqlite-dir", str(data_dir))).absolute(),
        sdk_urls=sources.words("sdk-url"),
        discovery=not sources.switch("no-discovery"),
        poll=not sources.switch("no-poll"),
        poll_interval=sources.integer("poll-interval", 5, 1, 86_400),
        retry_interval=sources.integer("retry-interval", 0, 0, 31_536_000),
        queue_workers=sources.integer("queue-workers", 200, 1, 100_000),
        signing_key=sources.text("signing-key"),
        event_keys=sources.words("event-key"),
        log_level=_log_level(sources),
        json_logs=sources.switch("json"),
        redis_url=sources.text("redis-uri"),
        database_url=sources.text("postgres-uri"),
        valkey_fsync=_fsync(sources),
        notes=_notes(sources),
        pool=_pool(sources),
    )


def open_sources(flags: Mapping[str, object], environment: Mapping[str, str]) -> Sources:
    without_file = Sources(flags, environment, ConfigFile())
    named = without_file.text("config")
    path = Path(named) if named else find_config_file(Path.cwd(), Path.home())
    return Sources(flags, environment, load_config_file(path)) if path else without_file


def _pool(sources: Sources) -> tuple[tuple[str, int], ...]:
    given = [name for name in POOL_OPTIONS if sources.find(name) is not None]
    return tuple((name, sources.integer(name, 0, 0, 10_000)) for name in given)


def _fsync(sources: Sources) -> str:
    """`always` keeps each acknowledged write through a power cut, `everysec` all but the last second."""
    name, value = sources.find("valkey-fsync") or ("", FSYNC_POLICIES[0])
    if value not in FSYNC_POLICIES:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(FSYNC_POLICIES)}, not {value!r}")
    return str(value)


def _log_level(sources: Sources) -> str:
    """`LOG_LEVEL` wins over every flag (spec 03 9.1)."""
    name, level = "LOG_LEVEL", sources.environment.get("LOG_LEVEL", "").strip()
    if not level:
        name, level = (
            "--log-level",
            sources.text("log-level", "debug" if sources.switch("verbose") else "info"),
        )
    if level.lower() not in LOG_LEVELS:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(LOG_LEVELS)}, not {level!r}")
    return level.lower()


def _notes(sources: Sources) -> tuple[str, ...]:
    """What a person should know about options that change nothing here."""
    return tuple(
        f"--{option.name} has no effect: {option.no_effect}"
        for option in OPTIONS
        if option.no_effect and sources.find(option.name) is not None
    )
