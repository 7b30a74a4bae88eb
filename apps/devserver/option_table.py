"""Options of `manage.py dev` and `start`: each a flag, a variable and a file key (spec 03 9.2 and 9.3)."""

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
    only: str = ""  # the command that has it, if not both

    @property
    def environment_names(self) -> tuple[str, ...]:
        name = self.name.upper().replace("-", "_")
        return (f"STEPWELL_{name}", f"INNGEST_{name}", *self.aliases)


_PUSHED = "work is pushed to executors, nothing is polled"
_ALWAYS_KEPT = "data is always kept in the data folder"
_NO_GATEWAY = "there is no separate connect gateway yet"
_NO_LISTENER = "there is no such listener"

_TABLE: tuple[Option, ...] = (
    Option(
        "sdk-url", Kind.WORDS, "URL of an app to sync (repeatable)", short="u", aliases=("STEPWELL_SDK_URLS",)
    ),
    Option("no-discovery", Kind.SWITCH, "do not look for apps on local ports", only="dev"),
    Option("no-poll", Kind.SWITCH, "do not watch synced apps for changes", only="dev"),
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
    Option("persist", Kind.SWITCH, "accepted", no_effect=_ALWAYS_KEPT, only="dev"),
    Option("connect-gateway-port", Kind.INTEGER, "accepted", no_effect=_NO_GATEWAY),
    Option("connect-gateway-grpc-port", Kind.INTEGER, "accepted", no_effect=_NO_GATEWAY),
    Option("connect-executor-grpc-port", Kind.INTEGER, "accepted", no_effect=_NO_GATEWAY),
    Option("connect-gateway-grpc-ip", Kind.TEXT, "accepted", no_effect=_NO_GATEWAY),
    Option("connect-executor-grpc-ip", Kind.TEXT, "accepted", no_effect=_NO_GATEWAY),
    Option("postgres-max-open-conns", Kind.INTEGER, "most connections of one process (default 20)"),
    Option("postgres-max-idle-conns", Kind.INTEGER, "connections that stay open (default 2)"),
    Option("postgres-conn-max-idle-time", Kind.INTEGER, "minutes until an idle one is closed (default 5)"),
    Option("postgres-conn-max-lifetime", Kind.INTEGER, "minutes that one lives (default 30)"),
    Option("roles", Kind.WORDS, "web, worker and scheduler (default: all of them)", only="start"),
    Option("no-ui", Kind.SWITCH, "no pages and no GraphQL", only="start"),
    Option(
        "setup",
        Kind.SWITCH,
        "start without keys: the first visitor with the token of the log makes the first organisation",
        only="start",
    ),
    Option("debug-api-port", Kind.INTEGER, "accepted", no_effect=_NO_LISTENER),
    Option("system-trace-endpoint", Kind.TEXT, "accepted", no_effect=_NO_LISTENER),
    Option("system-trace-url-path", Kind.TEXT, "accepted", no_effect=_NO_LISTENER),
)

OPTIONS = tuple(option for option in _TABLE if option.only != "start")
START_OPTIONS = tuple(option for option in _TABLE if option.only != "dev")
_NUMBERS = [option.name for option in _TABLE if option.kind is Kind.INTEGER]
POOL_OPTIONS = tuple(name for name in _NUMBERS if name.startswith("postgres-"))
BY_NAME = {option.name: option for option in _TABLE}
