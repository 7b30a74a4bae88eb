"""Opcodes: the instructions that an SDK returns in a 206 response (spec 01, chapter 8).

Parsing looks at the members that the engine needs and skips all others; `data`, `error` and the
values of `opts` stay raw JSON. The options of each opcode are read by `op_options`.
"""

from collections.abc import Mapping, Sequence

import msgspec

from apps.engine.protocol import raw_json

OP_NAMES = (
    "None",
    "Step",
    "StepRun",
    "StepError",
    "StepPlanned",
    "Sleep",
    "WaitForEvent",
    "InvokeFunction",
    "AIGateway",
    "Gateway",
    "WaitForSignal",
    "RunComplete",
    "StepFailed",
    "SyncRunComplete",
    "DiscoveryRequest",
    "DeferAdd",
    "DeferAbort",
)

RESULT_OPS = frozenset({"StepRun", "Step"})
ERROR_OPS = frozenset({"StepError", "StepFailed"})
COMPLETE_OPS = frozenset({"RunComplete", "SyncRunComplete"})
LAZY_OPS = frozenset({"DeferAdd", "DeferAbort"})
# Ops that are finished later, by the server or by a targeted request (8.3, step 3).
PLAN_OPS = frozenset(
    {"StepPlanned", "Sleep", "WaitForEvent", "InvokeFunction", "WaitForSignal", "Gateway", "AIGateway"}
)
# Ops that must be stored before any other of the same response is handled (8.3, step 4).
FIRST_OPS = LAZY_OPS | {"WaitForEvent"}
# Ops that the asynchronous checkpoint endpoint takes (spec 04, 4.3).
CHECKPOINT_OPS = RESULT_OPS | LAZY_OPS | {"StepPlanned"}

MAX_OPS = 1000
MAX_STEP_BYTES = 4 * 1024 * 1024

_CANONICAL = {name: name for name in OP_NAMES} | {name.lower(): name for name in OP_NAMES}
_OPS_WITHOUT_ID = frozenset({"None", "RunComplete", "SyncRunComplete", "DiscoveryRequest"})


class MalformedOps(Exception):
    """The response does not hold ops (7.7): the attempt failed, with this text."""


class StepTooLarge(MalformedOps):
    """An op with an output or an input above `MAX_STEP_BYTES`; `what` names which."""

    def __init__(self, step_id: str, what: str) -> None:
        self.reason = f"step {what} size is greater than the limit"
        super().__init__(f"error validating generator opcode {step_id}: {self.reason}")
        self.step_id = step_id
        self.what = what


class TooManyOps(Exception):
    """A response with more than `MAX_OPS` ops: the run fails for its number of steps (7.8)."""


class Op(msgspec.Struct):
    """One op. `op` is the canonical opcode name, `id` the hashed step id.

    `data` is raw JSON, `null` when it was not sent (`has_data` tells); `error` is the cleaned error
    object of StepError and StepFailed with `name` and `message` always strings, else empty.
    `opts` maps each option to its raw JSON value. Times are ms, 0 when the SDK sent none.
    """

    op: str
    id: str
    name: str = ""
    display_name: str = ""
    opts: dict[str, msgspec.Raw] | None = None
    data: bytes = b"null"
    has_data: bool = False
    error: bytes = b""
    user_id: str = ""
    user_index: int = 0
    timing_start_ms: int = 0
    timing_duration_ms: int = 0
    parallel_race: bool = False

    @property
    def input(self) -> bytes:
        """The step's input (a JSON array), for display; empty when the SDK sent none."""
        return self.raw_option("input")

    @property
    def type(self) -> str:
        """The SDK's kind of step, as `step.sendEvent` or `step.ai.wrap`; for display."""
        return self.text_option("type")

    def raw_option(self, name: str) -> bytes:
        """The raw JSON of an option; empty when it is missing or null."""
        value = bytes(self.opts[name]) if self.opts and name in self.opts else b""
        return b"" if value == b"null" else value

    def text_option(self, name: str) -> str:
        """The text of a string option; empty when it is missing or not a string."""
        value = self.raw_option(name)
        return raw_json.string(value) or "" if value else ""

    def __repr__(self) -> str:
        # Options hold secrets (auth_key), so that they never show up in a log.
        return f"Op({self.op} {self.id} {self.display_name!r})"


_ABSENT = msgspec.Raw(b"")


class _UserLand(msgspec.Struct):
    id: str | None = None
    index: int | None = None


class _Timing(msgspec.Struct):
    a: int | float = 0  # nanoseconds, of which a float cannot hold the last digits
    b: int | float = 0


class _BareWireOp(msgspec.Struct, rename={"display_name": "displayName"}):
    op: str
    id: str | None = None
    name: str | None = None
    display_name: str | None = None
    data: msgspec.Raw = _ABSENT
    error: msgspec.Raw = _ABSENT


class _WireOp(_BareWireOp):
    opts: dict[str, msgspec.Raw] | None = None
    userland: _UserLand | None = None
    timing: _Timing | None = None


class _OddWireOp(_BareWireOp):
    """For ops whose options or display members have unexpected types."""

    opts: msgspec.Raw = _ABSENT


_decoder = msgspec.json.Decoder(list[_WireOp] | _WireOp | None)
_odd_decoder = msgspec.json.Decoder(list[_OddWireOp] | _OddWireOp | None)


def parse_ops(body: bytes) -> list[Op]:
    """The ops of a 206 body or of a checkpoint's `steps`: an array, one object, or null for none.

    Raises MalformedOps and TooManyOps.
    """
    try:
        body.decode()
        wire = _decode(body)
    except raw_json.NOT_JSON as error:
        repaired = raw_json.without_lone_surrogates(body)
        if repaired != body:
            return parse_ops(repaired)
        raise MalformedOps(f"error reading generator opcode response: {error}") from None
    if len(wire) > MAX_OPS:
        raise TooManyOps(f"the response holds {len(wire)} ops")
    return [_op(entry) for entry in wire]


def is_empty(ops: list[Op]) -> bool:
    """Whether a response asks for nothing, so that discovery starts again (8.6)."""
    return all(op.op == "None" and not op.id for op in ops)


def _decode(body: bytes) -> "Sequence[_WireOp | _OddWireOp]":
    decoded: _WireOp | _OddWireOp | Sequence[_WireOp | _OddWireOp] | None
    try:
        decoded = _decoder.decode(body)
    except msgspec.ValidationError:
        decoded = _odd_decoder.decode(body)
    if decoded is None:
        return ()
    return (decoded,) if isinstance(decoded, _BareWireOp) else decoded


def _op(wire: "_WireOp | _OddWireOp") -> Op:
    name = _CANONICAL.get(wire.op) or _CANONICAL.get(wire.op.lower())
    if name is None:
        raise MalformedOps(f"error reading generator opcode response: unknown opcode {wire.op!r}")
    if not wire.id and name not in _OPS_WITHOUT_ID:
        raise MalformedOps(f"error reading generator opcode response: {name} without an id")
    _check_size(wire.id, "output", wire.data, wire.error)
    op = Op(name, wire.id or "", name=wire.name or "", display_name=wire.display_name or wire.name or "")
    data = bytes(wire.data)
    if data:
        op.data = data
        op.has_data = True
    if name in ERROR_OPS:
        op.error = _required_error(name, wire.error)
    _fill_details(op, wire)
    return op


def _fill_details(op: Op, wire: "_WireOp | _OddWireOp") -> None:
    op.opts = wire.opts if isinstance(wire, _WireOp) else raw_json.members(wire.opts)
    if op.opts:
        _check_size(op.id, "input", op.opts.get("input", _ABSENT))
        op.parallel_race = bytes(op.opts.get("parallelMode", b"")) == b'"race"'
    if isinstance(wire, _OddWireOp):
        return
    if wire.userland is not None:
        op.user_id = wire.userland.id or ""
        op.user_index = wire.userland.index or 0
        op.display_name = wire.display_name or op.user_id or op.name
    if wire.timing is not None:
        op.timing_start_ms = int(wire.timing.a // 1_000_000)
        op.timing_duration_ms = int(wire.timing.b // 1_000_000)


def _check_size(step_id: str | None, what: str, *values: msgspec.Raw) -> None:
    for value in values:
        if memoryview(value).nbytes > MAX_STEP_BYTES:
            raise StepTooLarge(step_id or "", what)


def _required_error(name: str, raw: msgspec.Raw) -> bytes:
    members = raw_json.members(raw)
    if members is None:
        raise MalformedOps(f"error reading generator opcode response: {name} without an error object")
    return clean_error(members)


def clean_error(members: Mapping[str, msgspec.Raw]) -> bytes:
    """The error object of a memo (6.5): `name` and `message` always strings, foreign members dropped."""
    name = raw_json.string(members.get("name", _ABSENT)) or "Error"
    message = members.get("message", _ABSENT)
    kept: dict[str, bytes | msgspec.Raw] = {
        "message": message if raw_json.string(message) is not None else b'""',
        "name": raw_json.quote(name),
    }
    for member in ("cause", "data", "stack"):
        value = bytes(members.get(member, b"null"))
        if value != b"null" and (member != "stack" or value.startswith(b'"')):
            kept[member] = value
    return b"{" + b",".join(b'"%b":%b' % (key.encode(), kept[key]) for key in sorted(kept)) + b"}"
