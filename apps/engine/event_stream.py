"""Entries of the event stream: what ingestion writes and the runner and the history writer read.

Field  Holds
i      internal id (ULID)
e, a   environment id, account id
n      event name
b      the event as functions see it: JSON of {data, id, name, ts, user, v?, meta?}
x      JSON of `EventContext`, absent when it says nothing
k      who sent it (`Sender`), with the id of a key or webhook after a colon; absent for the server's own
       events and where that is not known
l, c   of a batch only, whose i is the batch's id and whose b is the JSON array of its events: their internal
       ids, and the correlation ids of those that an invoke waits for (`-` for the others), parted by spaces
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec


class EventContext(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an event is to be handled.

    `function_id`: start this function only, whatever its triggers (invoke, cron); a UUID or a slug.
    `idempotency`: the run's idempotency value where it is not the event's id (cron tick).
    `remember`: the id may come again within 24 h (sent by the user, or seeded), so keep its key.
    `start_at`: due time of the run in ms. `correlation_id`: of the invoke that waits for the run.
    `source`: api, invoke, cron, engine, rerun; debounce and batch: events that were held back, which have
    entries of their own already. `original_run_id`: the run that this one repeats.
    """

    function_id: str = ""
    idempotency: str = ""
    remember: bool = False
    start_at: int = 0
    correlation_id: str = ""
    source: str = "api"
    original_run_id: str = ""
    cron: str = ""
    trace_parent: str = ""

    @property
    def is_held_back(self) -> bool:
        return self.source in _HELD_BACK


_HELD_BACK = frozenset({"debounce", "batch"})


class Sender(StrEnum):
    """What an event came with: an event key, a webhook, another credential, or a person's hand."""

    KEY = "key"
    WEBHOOK = "webhook"
    API = "api"
    DASHBOARD = "dashboard"


class EventEntry(NamedTuple):
    internal_id: str
    env_id: str
    account_id: str
    name: str
    body: bytes
    context: EventContext
    batch_ids: tuple[str, ...] = ()
    batch_correlations: tuple[str, ...] = ()
    sender: str = ""


_context_encoder = msgspec.json.Encoder()
_context_decoder = msgspec.json.Decoder(EventContext)
_DEFAULT = EventContext()


def entry_fields(entry: EventEntry) -> list[bytes | str]:
    """The flat field list of an XADD."""
    internal_id, env_id, account_id, name, body, context, _, _, sender = entry
    fields: list[bytes | str] = ["i", internal_id, "e", env_id, "a", account_id, "n", name, "b", body]
    if context != _DEFAULT:
        fields += ("x", _context_encoder.encode(context))
    if sender:
        fields += ("k", sender)
    return fields


def parse_entry(fields: Mapping[bytes, bytes]) -> EventEntry:
    context = fields.get(b"x")
    return EventEntry(
        internal_id=fields[b"i"].decode(),
        env_id=fields[b"e"].decode(),
        account_id=fields[b"a"].decode(),
        name=fields[b"n"].decode(),
        body=fields[b"b"],
        context=_context_decoder.decode(context) if context else _DEFAULT,
        batch_ids=_words(fields.get(b"l")),
        batch_correlations=_words(fields.get(b"c")),
        sender=fields.get(b"k", b"").decode(),
    )


def _words(raw: bytes | None) -> tuple[str, ...]:
    return tuple(raw.decode().split(" ")) if raw else ()


def encode_context(context: EventContext) -> str:
    """The field x."""
    return _context_encoder.encode(context).decode()


def context_text(context: EventContext) -> str:
    """As history keeps it: empty where it says nothing."""
    return "" if context == _DEFAULT else encode_context(context)


def parse_context(text: str) -> EventContext:
    return _context_decoder.decode(text) if text else _DEFAULT
