"""What the Lua library answers, as values."""

from typing import NamedTuple

import msgspec

from apps.engine.store.client import Reply


class RunMeta(msgspec.Struct, omit_defaults=True):
    """What the engine keeps of a run beside its state; opaque to Lua.

    The lists run parallel to the run's events. `correlation_ids` has an id where an invoke waits.
    """

    slug: str
    event_names: list[str]
    event_ids: list[str]
    correlation_ids: list[str] = []
    schedule_type: str = "Event"
    original_run_id: str = ""


_meta_decoder = msgspec.json.Decoder(RunMeta)
_events_decoder = msgspec.json.Decoder(list[msgspec.Raw])


class Item(NamedTuple):
    """A leased item. `kind` is start, edge, step, gateway; times are ms; `position` is the number of
    finished steps when the item was made; `generation` counts its dispatches from 1."""

    id: str
    token: str
    kind: str
    run_id: str
    function_id: str
    env_id: str
    step_id: str
    attempt: int
    generation: int
    position: int
    queued_at: int
    due_at: int
    payload: bytes
    job: str = ""

    @property
    def job_id(self) -> str:
        """The name of the job for SDKs: an item that goes on in place is a new job (spec 01, 1.2)."""
        return f"{self.id}.{self.job}" if self.job else self.id


class RunState(msgspec.Struct):
    """A run's state as read at a lease. `version` is the request version, -1 until known;
    `empty_answers` counts the answers in a row that brought nothing new, `function_errors` the attempts
    of the run's own code that failed."""

    events_json: bytes
    meta: RunMeta
    version: int
    plan_only: bool
    state_version: int
    queued_at: int
    started_at: int
    app_id: str
    size: int
    stack: list[str]
    memos: dict[str, bytes]
    defers: dict[str, bytes]
    input_step: str = ""
    input: bytes = b""
    empty_answers: int = 0
    function_errors: int = 0

    @property
    def events(self) -> list[msgspec.Raw]:
        return _events_decoder.decode(self.events_json)


def parse_item(reply: list[bytes]) -> Item:
    item_id, token, kind, run_id, function_id, env_id, step_id = [value.decode() for value in reply[:7]]
    attempt, generation, position, queued_at, due_at = [int(value) for value in reply[7:12]]
    return Item(
        item_id, token, kind, run_id, function_id, env_id, step_id,
        attempt, generation, position, queued_at, due_at, reply[12], _job(reply[13]),
    )  # fmt: skip


def _job(reply: bytes | int) -> str:
    return reply.decode() if isinstance(reply, bytes) else str(reply)


def parse_state(reply: Reply) -> RunState:
    fields, stack, memos, defers = reply
    return RunState(
        events_json=fields[0],
        meta=_meta_decoder.decode(fields[1]),
        version=int(fields[2]),
        plan_only=fields[3] == b"1",
        state_version=len(stack),
        queued_at=int(fields[4]),
        started_at=int(fields[5] or 0),
        app_id=fields[6].decode(),
        size=int(fields[7]),
        stack=[step.decode() for step in stack],
        memos=parse_pairs(memos),
        defers=parse_pairs(defers),
        input_step=(fields[8] or b"").decode(),
        input=fields[9] or b"",
        empty_answers=int(fields[10] or 0),
        function_errors=int(fields[11] or 0),
    )


def parse_pairs(flat: list[bytes]) -> dict[str, bytes]:
    """A hash as Redis answers it, value after field."""
    return {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)}
