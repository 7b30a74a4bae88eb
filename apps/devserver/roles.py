"""The processes of one platform on one machine: their commands and environments."""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from apps.devserver import embedded
from apps.devserver.children import ChildSpec
from apps.devserver.listener import public_url
from apps.devserver.option_table import BY_NAME
from apps.devserver.options import DevOptions

# Together under 10 s: the promise of a stop. A worker's calls in flight go on elsewhere when leases end.
STOP_SECONDS = {"web": 2.0, "worker": 3.0, "scheduler": 2.5, "valkey": 2.0}
STOP_ORDER = tuple(STOP_SECONDS)

# Celery warns whoever develops as root, in a container for instance, on every start.
PYTHON_MODULE = (sys.executable, "-m")
QUIET_AS_ROOT = "ignore:You're running the worker with superuser privileges"

# Ours are quieter than the person's level: libraries say at INFO what only their authors need.
_LIBRARY_LEVELS = {"trace": "debug", "debug": "debug", "error": "error"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the processes run, what they share, and how long each may take to end."""

    root: Path
    lock: int
    environment: Mapping[str, str]
    stop_seconds: Mapping[str, float] = field(default_factory=lambda: STOP_SECONDS)


def child_environment(
    options: DevOptions, inherited: Mapping[str, str], root: Path, redis_url: str, port: int
) -> dict[str, str]:
    """The supervisor's environment, with this start's options in front of every other source."""
    environment = dict(inherited)
    environment["PYTHONPATH"] = os.pathsep.join(_source_roots(root, inherited.get("PYTHONPATH", "")))
    environment["PYTHONUNBUFFERED"] = "1"
    environment.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    environment.setdefault("STEPWELL_BASE_URL", public_url(options.host, port))
    _override(environment, "REDIS_URL", redis_url, "redis-uri")
    _override(environment, "DATABASE_URL", options.database_url or _sqlite_url(options), "postgres-uri")
    _override(environment, "STEPWELL_SIGNING_KEY", options.signing_key, "signing-key")
    _override(environment, "STEPWELL_EVENT_KEYS", ",".join(options.event_keys), "event-key")
    for name, value in options.pool:
        _override(environment, BY_NAME[name].environment_names[0], str(value), name)
    environment |= _plain_settings(options)
    return environment


def _plain_settings(options: DevOptions) -> dict[str, str]:
    return {
        "STEPWELL_DATA_DIR": str(options.data_dir),
        "STEPWELL_SDK_URLS": ",".join(options.sdk_urls),
        "STEPWELL_DISCOVERY": str(int(options.discovery)),
        "STEPWELL_POLL": str(int(options.poll)),
        "STEPWELL_POLL_INTERVAL": str(options.poll_interval),
        "STEPWELL_RETRY_INTERVAL": str(options.retry_interval),
        "STEPWELL_WORKER_CONCURRENCY": str(options.queue_workers),
        "LOG_LEVEL": options.log_level,
    }


def _override(environment: dict[str, str], variable: str, value: str, option: str) -> None:
    """Set `variable`, and remove every other spelling that the settings would read before or beside it."""
    for name in BY_NAME[option].environment_names:
        environment.pop(name, None)
        environment.pop(f"{name}_FILE", None)
    environment[variable] = value


def _source_roots(root: Path, existing: str) -> list[str]:
    return [str(root / "platform"), str(root), *filter(None, existing.split(os.pathsep))]


def _sqlite_url(options: DevOptions) -> str:
    return f"sqlite:///{options.sqlite_dir / 'stepwell.sqlite3'}"


def valkey_spec(place: Place, binary: str, folder: Path, port: int, fsync: str) -> ChildSpec:
    """A server that is told to end by SIGTERM even when the supervisor is killed: it syncs its file first."""
    return ChildSpec(
        name="valkey",
        argv=embedded.server_command(binary, folder, port, fsync),
        environment=place.environment,
        working_dir=place.root,
        stop_seconds=place.stop_seconds["valkey"],
        kept_descriptors=(place.lock,),
        death_signal=signal.SIGTERM,
    )


def migrate_spec(place: Place) -> ChildSpec:
    return command_spec(place, "migrate", "--no-input", "--verbosity", "0")


def command_spec(place: Place, *command: str) -> ChildSpec:
    """A command of manage.py that is run once."""
    return ChildSpec(
        name=command[0],
        argv=(sys.executable, "manage.py", *command),
        environment=place.environment,
        working_dir=place.root,
        stop_seconds=place.stop_seconds["worker"],
        kept_descriptors=(place.lock,),
    )


def web_spec(place: Place, listener: int, log_level: str) -> ChildSpec:
    argv = (
        *(sys.executable, "-m", "apps.devserver.web_process", "--application", "config.asgi:application"),
        *("--socket", str(listener), "--log-level", library_level(log_level)),
    )
    return python_spec(place, "web", argv, (listener,))


def celery_spec(place: Place, role: str, log_level: str) -> ChildSpec:
    argv = celery_command(role, log_level)
    return python_spec(place, role, argv, (), {"PYTHONWARNINGS": QUIET_AS_ROOT})


def celery_command(role: str, log_level: str) -> tuple[str, ...]:
    """`worker` takes ordinary tasks beside the engine's work; `scheduler` reads a queue of its own."""
    queue = "celery" if role == "worker" else role
    return (
        *(sys.executable, "-m", "celery", "-q", "-A", "config", "worker", "-P", "threads", "-c", "2"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        *("-l", library_level(log_level).upper(), "-n", f"{role}@%h", "-Q", queue),
    )


def library_level(log_level: str) -> str:
    return _LIBRARY_LEVELS.get(log_level, "warning")


def python_spec(
    place: Place,
    role: str,
    argv: tuple[str, ...],
    descriptors: tuple[int, ...],
    extra_environment: Mapping[str, str] | None = None,
) -> ChildSpec:
    return ChildSpec(
        name=role,
        argv=argv,
        environment={**place.environment, **(extra_environment or {}), "STEPWELL_ROLES": role},
        working_dir=place.root,
        stop_seconds=place.stop_seconds[role],
        kept_descriptors=(place.lock, *descriptors),
    )
