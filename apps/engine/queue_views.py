"""What looking into the queue finds: answers of the Lua library (88_inspect.lua), explained."""

from typing import Literal

import msgspec

BlockKind = Literal["paused", "throttle", "account", "function", "key", "runs", "keys"]


class Slots(msgspec.Struct, frozen=True):
    """How many hold a slot; `limit` None: as many as like."""

    holders: int = 0
    limit: int | None = None


class KeyUsage(msgspec.Struct, frozen=True):
    """A limit per key value: of steps (key) or runs in progress (runs); `expression` is empty for a limit of
    all runs."""

    kind: Literal["key", "runs"]
    number: int
    holders: int
    limit: int
    expression: str = ""
    value: str = ""


class Block(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stops work. `keys`: every key queue of the function waits, each for its own reason.

    `free_at`: when the throttle lets the next start in, ms. `number`, `expression` and `value` say which key
    of the function it is; a throttle may have one, too.
    """

    kind: BlockKind
    holders: int = 0
    limit: int | None = None
    free_at: int | None = None
    number: int = 0
    expression: str = ""
    value: str = ""


class FirstItem(msgspec.Struct, frozen=True):
    """What comes first in a queue: by `score`, ms, the time of its run moved ahead by its priority.

    It could run since `since` (ms), but for limits.
    """

    item_id: str
    run_id: str
    score: int
    since: int


class KeyQueue(msgspec.Struct, frozen=True):
    """The items of those runs of a function that agree in all of its keys: (setting, expression, value) each.

    `starts` are runs that have not been admitted yet. `blocked_by` is what stops the steps, or the starts
    where there are only those; `starts_blocked_by` what stops these. `is_outdated`: the function has other
    keys by now, and a worker gives each item its new ones.
    """

    leaf: str
    keys: list[tuple[str, str, str]]
    steps: int
    starts: int
    first: FirstItem
    usage: list[KeyUsage] = []
    is_outdated: bool = False
    blocked_by: Block | None = None
    starts_blocked_by: Block | None = None

    @property
    def depth(self) -> int:
        return self.steps + self.starts


class FunctionQueue(msgspec.Struct, frozen=True):
    """What a function has ready, and what it is allowed.

    `own_items` are in no key queue. `key_steps`, `key_starts`, and the number of `key_queues` that have work
    are those of the first 300 key queues: lower bounds unless `is_complete`. What is due later (sleeps,
    retries, starts at a time) is left out, since all functions share one set of timers, ordered by time only;
    it is part of `live_runs`. `keys` is one page of the key queues, and `cursor`, unless empty, asks for the
    next.
    """

    function_id: str
    is_paused: bool = False
    is_drained: bool = False
    own: Slots = Slots()
    account: Slots = Slots()
    live_runs: int = 0
    own_items: int = 0
    key_steps: int = 0
    key_starts: int = 0
    key_queues: int = 0
    is_complete: bool = True
    first: FirstItem | None = None
    blocked_by: Block | None = None
    slug: str = ""
    keys: list[KeyQueue] = []
    cursor: str = ""

    @property
    def depth(self) -> int:
        return self.own_items + self.key_steps + self.key_starts


class AccountQueue(msgspec.Struct, frozen=True):
    """An account's share of the queue; `functions` are those with ready items or requests under way.

    `depth` and the functions are lower bounds unless `is_complete`.
    """

    account_id: str
    slots: Slots
    weight: float = 1
    has_own_limit: bool = False
    functions: list[FunctionQueue] = []
    is_complete: bool = True
    depth: int = 0
    live_runs: int = 0

    @property
    def blocked_functions(self) -> list[FunctionQueue]:
        return [function for function in self.functions if function.depth and function.blocked_by]


class StreamGroup(msgspec.Struct, frozen=True):
    """How far a consumer group is: `lag` entries that it has not read (None: the server cannot tell),
    `pending` that it has read and not acknowledged."""

    stream: str
    group: str
    pending: int
    lag: int | None


class ShardQueue(msgspec.Struct, frozen=True):
    """A whole shard; `accounts` are those with ready items or requests under way, without their functions.

    `ready`, `live_runs` and `accounts` are lower bounds unless `is_complete`. `library` is the version of the
    Lua library of this process. `oldest_since`: since when (ms) the first item of a queue could run, the
    longest time of all functions that are not paused; 0 when nothing waits.
    """

    shard: str
    library: str
    ready: int
    live_runs: int
    leases: int
    timers: int
    pauses: int
    run_timeouts: int
    gates: int
    debounces: int
    batches: int
    crons: int
    events: int
    history: int
    groups: list[StreamGroup]
    accounts: list[AccountQueue]
    functions: int
    is_complete: bool
    oldest_since: int = 0
