"""What control-plane callers ask of the engine."""

import msgspec


class RerunRequest(msgspec.Struct, frozen=True):
    """A new run from an earlier one's events (spec 02, 12.1 and 12.2).

    `events` are raw event bodies, `event_ids` their internal ids. From a step: `memos` are the
    (hashed step id, memo) pairs to keep, in order; `target_step` runs first, with `target_input`
    (a raw JSON array) in place of its own arguments where given.
    """

    env_id: str
    function_id: str
    events: list[bytes]
    event_ids: list[str]
    event_names: list[str]
    original_run_id: str
    memos: list[tuple[str, bytes]] = []
    target_step: str = ""
    target_input: bytes = b""
