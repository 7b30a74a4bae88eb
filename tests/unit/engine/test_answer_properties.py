"""No list of ops, however odd, raises, or both ends a run and asks for the item again."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.executor.answer import apply_answer
from apps.engine.protocol.opcodes import OP_NAMES, MalformedOps, parse_ops
from apps.engine.protocol.responses import Ops
from apps.engine.records import RunEnded, decode_records
from apps.engine.store.client import Argument
from tests.unit.engine.builders import A, B, C, make_builder, make_item, make_state

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_OPTS = st.fixed_dictionaries(
    {},
    optional={
        "timeout": st.sampled_from(["1s", "", "bogus", "9000h", "2001-01-01T00:00:00Z"]) | _JSON,
        "duration": st.sampled_from(["1s", "x"]) | _JSON,
        "event": st.sampled_from(["app/x", ""]) | _JSON,
        "if": st.sampled_from(["async.data.id == event.data.id", "true", "(", "async.data.a.b > 3"]) | _JSON,
        "signal": st.sampled_from(["s", ""]) | _JSON,
        "conflict": st.sampled_from(["fail", "replace", "odd"]) | _JSON,
        "function_id": st.sampled_from(["app-x", ""]) | _JSON,
        "payload": st.fixed_dictionaries({}, optional=dict.fromkeys(("data", "id", "ts", "user", "v"), _JSON))
        | _JSON,
        "fn_slug": st.just("app-later") | _JSON,
        "input": _JSON,
        "meta": _JSON,
        "target_hashed_id": st.sampled_from([A, B]) | _JSON,
        "url": st.sampled_from(["https://example.com", "::"]) | _JSON,
        "headers": _JSON,
        "body": _JSON,
        "parallelMode": st.just("race") | _JSON,
    },
)
_OP = st.fixed_dictionaries(
    {"op": st.sampled_from(OP_NAMES), "id": st.sampled_from([A, B, C, "", "é"])},
    optional={
        "name": st.sampled_from(["1s", "app/x", "9000h", ""]),
        "displayName": st.none() | st.text(max_size=5),
        "opts": st.none() | _OPTS,
        "data": _JSON,
        "error": st.just({"name": "E", "message": "m"}) | _JSON,
        "userland": st.none() | st.fixed_dictionaries({"id": st.text(max_size=3)}),
        "timing": st.none() | st.just({"a": 1.7e18, "b": 5}) | st.just({"a": -1, "b": -1}),
    },
)
_DEFERRAL = b'{"function_slug":"app-later","input":{}}'


def _codes(operations: list[Argument], history: bytes) -> tuple[bool, bool]:
    """(whether it ends the run, whether it asks for the item again), by the last operation's letter."""
    requeues = len(operations) >= 4 and operations[-4] == "R"
    ends = any(isinstance(record, RunEnded) for record in decode_records(history)) if history else False
    return ends, requeues


@settings(max_examples=300, deadline=None)
@given(
    wire=st.lists(_OP, max_size=5),
    kind=st.sampled_from(["start", "edge", "step"]),
    attempt=st.integers(0, 3),
    no_retry=st.booleans(),
    version=st.sampled_from([-1, 0, 1, 2]),
    knows=st.booleans(),
)
def test_any_answer_is_carried_out(
    wire: list[dict[str, object]], kind: str, attempt: int, no_retry: bool, version: int, knows: bool
) -> None:
    try:
        parsed = parse_ops(msgspec.json.encode(wire))
    except MalformedOps:
        return
    state = make_state(
        version=version, memos={B: b"1"} if knows else {}, defers={A: _DEFERRAL} if knows else {}
    )
    builder = make_builder(make_item(kind, C if kind == "step" else "", attempt), state)
    apply_answer(builder, Ops(parsed, 2, no_retry))
    commit = builder.build(2, may_continue=True)
    ends, requeues = _codes(commit.operations, commit.history)
    assert (builder.is_finished, builder.is_requeued) == (ends, requeues)
    assert not (ends and requeues)
    assert sum(isinstance(record, RunEnded) for record in builder.records) == int(ends)
    assert commit.operations, "a commit that does nothing leaves the run without anybody to go on with it"
