"""The options of `manage.py dev`: each a flag, an environment variable and a file key (spec 03 9.2)."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    TEXT = "text"
    INTEGER = "integer"
    SWITCH = "switch"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Option:
    """`aliases` are more environment variables; `no_effect` says why an accepted option changes nothing."""

    name: str
    kind: Kind
    help: str
    short: str = ""
    aliases: tuple[str, ...] = ()
    no_effect: str = ""
    is_secret: bool = False  # may also come from the file that <VARIABLE>_FILE names

    @property
    def environment_names(self) -> tuple[str, ...]:
        name = self.name.upper().replace("-", "_")
        return (f"STEPWELL_{name}", f"INNGEST_{name}", *self.aliases)


_PUSHED = "work is pushed to executors, nothing is polled"
_ALWAYS_KEPT = "data is always kept in the data folder"
_NO_GATEWAY = "there is no separate connect gateway yet"
_DATABASE_POOL = "connections are not pooled in development"
_NO_LISTENER = "there is no such listener"

OPTIONS: tuple[Option, ...] = (
    Option(
        "sdk-url", Kind.WORDS, "URL of an app to sync (repeatable)", short="u", aliases=("STEPWELL_SDK_URLS",)
    ),
    Option("no-discovery", Kind.SWITCH, "do not look for apps on local ports"),
    Option("no-poll", Kind.SWITCH, "do not watch synced apps for changes"),
    Option("config", Kind.TEXT, "configuration file (yaml, json or toml)"),
    Option("host", Kind.TEXT, "address to listen on (default: every interface)"),
    Option("port", Kind.INTEGER, "port to listen on (default 8288; 0 takes a free one)", short="p"),
    Option("data-dir", Kind.TEXT, "folder of the database and the queue (default .stepwell)"),
    Option("poll-interval", Kind.INTEGER, "seconds between looks at an app (default 5)"),
    Option("retry-interval", Kind.INTEGER, "seconds between attempts (default 0: exponential)"),
    Option("queue-workers", Kind.INTEGER, "calls in flight at once (default 200)"),
    Option("signing-key", Kind.TEXT, "key that signs calls to apps", is_secret=True),
    Option(
        "event-key",
        Kind.WORDS,
        "key that event senders use (repeatable)",
        aliases=("STEPWELL_EVENT_KEYS",),
        is_secret=True,
    ),
    Option("log-level", Kind.TEXT, "trace, debug, info, warn or error", short="l", aliases=("LOG_LEVEL",)),
    Option("verbose", Kind.SWITCH, "log at level debug"),
    Option("json", Kind.SWITCH, "log one JSON object per line"),
    Option(
        "redis-uri",
        Kind.TEXT,
        "use this Redis or Valkey, not the embedded one",
        aliases=("REDIS_URL",),
        is_secret=True,
    ),
    Option(
        "postgres-uri",
        Kind.TEXT,
        "use this PostgreSQL, not SQLite",
        aliases=("DATABASE_URL",),
        is_secret=True,
    ),
    Option("sqlite-dir", Kind.TEXT, "folder of the SQLite file (default: the data folder)"),
    Option("valkey-fsync", Kind.TEXT, "when the embedded Valkey syncs to disk: everysec (default) or always"),
    Option("tick", Kind.INTEGER, "accepted", no_effect=_PUSHED),
    Option("persist", Kind.SWITCH, "accepted", no_effect=_ALWAYS_KEPT),
    Option("connect-gateway-port", Kind.INTEGER, "accepted", no_effect=_NO_GATEWAY),
    Option("connect-gateway-grpc-port", Kind.INTEGER, "accepted", no_effect=_NO_GATEWAY),
    Option("connect-executor-grpc-port", Kind.INTEGER, "accepted", no_effect=_NO_GATEWAY),
    Option("connect-gateway-grpc-ip", Kind.TEXT, "accepted", no_effect=_NO_GATEWAY),
    Option("connect-executor-grpc-ip", Kind.TEXT, "accepted", no_effect=_NO_GATEWAY),
    Option("postgres-max-idle-conns", Kind.INTEGER, "accepted", no_effect=_DATABASE_POOL),
    Option("postgres-max-open-conns", Kind.INTEGER, "accepted", no_effect=_DATABASE_POOL),
    Option("postgres-conn-max-idle-time", Kind.INTEGER, "accepted", no_effect=_DATABASE_POOL),
    Option("postgres-conn-max-lifetime", Kind.INTEGER, "accepted", no_effect=_DATABASE_POOL),
    Option("debug-api-port", Kind.INTEGER, "accepted", no_effect=_NO_LISTENER),
    Option("system-trace-endpoint", Kind.TEXT, "accepted", no_effect=_NO_LISTENER),
    Option("system-trace-url-path", Kind.TEXT, "accepted", no_effect=_NO_LISTENER),
)

BY_NAME = {option.name: option for option in OPTIONS}
