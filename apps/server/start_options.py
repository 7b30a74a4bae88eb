"""The options of `manage.py start` (spec 03 9.3): those of `dev`, always persistent, with no discovery."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from apps.devserver.health import ROLES
from apps.devserver.option_table import START_OPTIONS
from apps.devserver.options import (
    DEFAULT_PORT,
    FSYNC_POLICIES,
    DevOptions,
    Sources,
    open_sources,
    options_from,
)
from apps.devserver.sources import DEFAULT, Reading
from apps.devserver.values import MAX_IDLE_CONNS, MAX_OPEN_CONNS, check_pool, check_signing_key, split_words

# What holds where an option is not given, and no setting says.
_UNSAID = {
    "host": "every interface",
    "port": str(DEFAULT_PORT),
    "roles": ",".join(ROLES),
    "redis-uri": "embedded Valkey",
    "postgres-uri": "SQLite",
    "valkey-fsync": FSYNC_POLICIES[0],
}


@dataclass(frozen=True, slots=True)
class StartOptions:
    """`common` is what `dev` has too. `may_set_up`: keys are not asked for; the first visitor makes them."""

    common: DevOptions
    roles: tuple[str, ...]
    has_ui: bool
    may_set_up: bool

    @property
    def is_whole(self) -> bool:
        return set(self.roles) == set(ROLES)

    @property
    def has_keys(self) -> bool:
        return bool(self.common.signing_key)


def read_start_options(
    flags: Mapping[str, object], environment: Mapping[str, str], default_data_dir: Path
) -> StartOptions:
    """Raises `ImproperlyConfigured` with one sentence (spec 03 2.6)."""
    sources = open_sources(flags, environment)
    common = replace(options_from(sources, default_data_dir), discovery=False, poll=False)
    options = StartOptions(
        common=common,
        roles=_roles(sources),
        has_ui=not sources.switch("no-ui"),
        may_set_up=sources.switch("setup"),
    )
    _check_keys(common)
    _check_pool(sources)
    _check_services(options)
    return options


def readings_of(flags: Mapping[str, object], environment: Mapping[str, str]) -> list[Reading]:
    """Each option that was given, and where; of the others those that the settings do not tell."""
    sources = open_sources(flags, environment)
    found = []
    for option in START_OPTIONS:
        given = sources.find(option.name)
        if given is not None:
            value = ",".join(map(str, given[1])) if isinstance(given[1], list) else str(given[1])
            found.append(Reading(f"--{option.name}", value, _source(given[0]), option.is_secret))
        elif option.name in _UNSAID:
            found.append(Reading(f"--{option.name}", _UNSAID[option.name], DEFAULT))
    return found


def _source(name: str) -> str:
    return "flag" if name.startswith("--") else name


def _roles(sources: Sources) -> tuple[str, ...]:
    """In the order in which they are known."""
    given = [role for words in sources.words("roles") for role in split_words(words)] or ROLES
    unknown = [role for role in given if role not in ROLES]
    if unknown:
        name, _ = sources.find("roles") or ("--roles", "")
        raise ImproperlyConfigured(f"{name} must be of {', '.join(ROLES)}, not {', '.join(unknown)}")
    return tuple(role for role in ROLES if role in given)


def _check_keys(common: DevOptions) -> None:
    if common.signing_key:
        check_signing_key("signing-key", common.signing_key)
    if common.signing_key and not common.event_keys:
        raise ImproperlyConfigured("at least one event-key is required")
    if common.event_keys and not common.signing_key:
        raise ImproperlyConfigured("signing-key is required")


def _check_pool(sources: Sources) -> None:
    most = sources.integer("postgres-max-open-conns", MAX_OPEN_CONNS, 1, 10_000)
    idle = sources.integer("postgres-max-idle-conns", MAX_IDLE_CONNS, 0, 10_000)
    check_pool(most, idle)


def _check_services(options: StartOptions) -> None:
    """The embedded Valkey and SQLite belong to one machine, and to a start of all roles."""
    common = options.common
    if not options.is_whole and not (common.redis_url and common.database_url):
        raise ImproperlyConfigured(
            "--roles needs redis-uri and postgres-uri, which the roles share; without them all run together"
        )
