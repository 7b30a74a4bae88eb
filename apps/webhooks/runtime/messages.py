"""What the pool and its workers tell one another: a length of 4 bytes, then JSON (spec 05, A.4)."""

from enum import StrEnum
from typing import Final

import msgspec

WALL_CLOCK_MS: Final = 500
HEAP_BYTES: Final = 64 * 1024 * 1024
MAX_SOURCE_BYTES: Final = 64 * 1024
MAX_RESULT_CHARS: Final = 8 * 1024 * 1024
# Calls hold a body twice (parsed and raw), results at most six bytes for each character and their log.
MAX_FRAME_BYTES: Final = 256 * 1024 * 1024
MAX_ANSWER_BYTES: Final = 6 * MAX_RESULT_CHARS + 1024 * 1024
LENGTH_BYTES: Final = 4


class Function(StrEnum):
    """What of the script is called. CHECK: `transform` with an empty event, which may throw."""

    TRANSFORM = "transform"
    RESPOND = "respond"
    CHECK = "check"
    CHECK_RESPOND = "check_respond"

    @property
    def script_name(self) -> str:
        return "respond" if self in (Function.RESPOND, Function.CHECK_RESPOND) else "transform"


class Call(msgspec.Struct, frozen=True):
    """`event` is JSON text; `now_ms` is what the script takes for the present time."""

    source: str
    event: str = "{}"
    headers: dict[str, str] = {}
    query: dict[str, list[str]] = {}
    raw: str = ""
    now_ms: int = 0
    function: Function = Function.TRANSFORM
    is_preview: bool = False
    timeout_ms: int = WALL_CLOCK_MS


class Ending(StrEnum):
    """OK: the function returned. THROWN: the script is at fault, its text says how."""

    OK = "ok"
    THROWN = "thrown"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASHED = "crashed"

    @property
    def is_limit(self) -> bool:
        """Whether the process cannot be trusted with another call."""
        return self not in (Ending.OK, Ending.THROWN)


class Result(msgspec.Struct, frozen=True):
    """`value` is the JSON text of what was returned; `line` and `column` start at 1, 0 where not known."""

    ending: Ending
    value: str = ""
    message: str = ""
    line: int = 0
    column: int = 0
    logs: list[str] = []
    duration_ms: int = 0


_encoder = msgspec.json.Encoder()
_call_decoder = msgspec.json.Decoder(Call)
_result_decoder = msgspec.json.Decoder(Result)


def encode(message: Call | Result) -> bytes:
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def decode_call(body: bytes) -> Call:
    return _call_decoder.decode(body)


def decode_result(body: bytes) -> Result:
    """Raises msgspec.DecodeError: a worker that a script got hold of may say anything."""
    return _result_decoder.decode(body)
