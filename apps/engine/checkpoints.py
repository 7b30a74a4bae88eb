"""Checkpoints: results that an SDK reports while its request is still running (spec 04, 4.4 to 4.6)."""

import msgspec

from apps.engine import clock
from apps.engine.executor.commit_builder import MAX_STATE_BYTES, op_info
from apps.engine.executor.deferrals import aborted_deferral, parse_deferral
from apps.engine.protocol import memos, op_options, raw_json, requests
from apps.engine.protocol.opcodes import (
    CHECKPOINT_OPS,
    LAZY_OPS,
    RESULT_OPS,
    MalformedOps,
    Op,
    StepTooLarge,
    TooManyOps,
    parse_ops,
)
from apps.engine.records import StepRecorded, encode_records
from apps.engine.store.queue import Queue

_TERMINAL = frozenset({"RunComplete", "SyncRunComplete", "StepFailed"})


class CheckpointRefused(Exception):
    """Answered with `status` and the message; `names_run`: the answer says which run it is about."""

    def __init__(self, status: int, message: str, *, names_run: bool = True) -> None:
        super().__init__(message)
        self.status = status
        self.names_run = names_run


class _Body(msgspec.Struct):
    steps: msgspec.Raw = msgspec.Raw(b"[]")
    qi_id: str | None = None
    generation_id: int | None = None


_decoder = msgspec.json.Decoder(_Body)


async def save_checkpoint(queue: Queue, env_id: str, run_id: str, raw_body: bytes) -> None:
    """Save every result of the request, first write wins. Raises CheckpointRefused."""
    body, ops = _parse(raw_body)
    item_id, generation = _fence(body)
    await _check_run(queue, env_id, run_id, item_id)
    _check_ops(ops)
    results = [
        (op.id, op.data if op.op == "Step" else memos.data_memo(op.data)) for op in ops if op.op in RESULT_OPS
    ]
    deferrals = await _deferrals(queue, run_id, ops)
    outcome = await queue.checkpoint(
        run_id, item_id, generation, _history(run_id, ops), MAX_STATE_BYTES, results, deferrals
    )
    if outcome == "missing":
        outcome = "stale" if body.generation_id else "unknown"
    if outcome != "ok":
        raise CheckpointRefused(*_REFUSALS[outcome])


_NOT_FOUND = "run not found in state store"
_REFUSALS = {
    "ended": (409, _NOT_FOUND),
    "overflow": (413, "run state is over the size limit"),
    "stale": (409, "this dispatch has been superseded"),
    "unknown": (400, "queue item not found"),
}


def _parse(raw_body: bytes) -> tuple[_Body, list[Op]]:
    try:
        body = _decoder.decode(_without_lone_surrogates(raw_body))
        return body, parse_ops(bytes(body.steps))
    except StepTooLarge as exc:
        raise CheckpointRefused(413, f"step {exc.step_id} {exc.what} too large: {exc.reason}") from exc
    except (msgspec.MsgspecError, *raw_json.NOT_JSON, MalformedOps, TooManyOps) as exc:
        raise CheckpointRefused(400, f"invalid request body: {exc}", names_run=False) from exc


def _without_lone_surrogates(raw_body: bytes) -> bytes:
    """JavaScript writes them as escapes, which no decoder takes."""
    return raw_json.without_lone_surrogates(raw_body) if b"\\ud" in raw_body.lower() else raw_body


async def _check_run(queue: Queue, env_id: str, run_id: str, item_id: str) -> None:
    """A run that is gone, of which the dispatch tells that it was there, has ended: its SDK must stop."""
    owner = await queue.client.execute("HGET", f"{queue.prefix}:run:{run_id}", "e")
    if owner is None:
        raise CheckpointRefused(409 if item_id else 400, _NOT_FOUND)
    if owner.decode() != env_id:
        raise CheckpointRefused(400, _NOT_FOUND)


def _check_ops(ops: list[Op]) -> None:
    for op in ops:
        if op.op in _TERMINAL:
            raise CheckpointRefused(400, f"cannot checkpoint opcode: {op.op}")
        if op.op not in CHECKPOINT_OPS:
            raise CheckpointRefused(400, "cannot checkpoint async steps")


def _fence(body: _Body) -> tuple[str, int]:
    """(item id, generation to insist on or 0) of the dispatch that reports.

    However young: the same script reads the item anyhow, and leases may be short.
    """
    reference = requests.decode_qi_id(body.qi_id) if body.qi_id else None
    return (reference[0], body.generation_id or 0) if reference else ("", 0)


async def _deferrals(queue: Queue, run_id: str, ops: list[Op]) -> list[tuple[str, bytes]]:
    known = await queue.deferrals(run_id) if any(op.op in LAZY_OPS for op in ops) else {}
    changed: dict[str, bytes] = {}
    for op in ops:
        if op.op == "DeferAdd" and op.id not in known and (added := parse_deferral(op)):
            changed[op.id] = added
        elif op.op == "DeferAbort":
            target = op_options.defer_abort_target(op)
            aborted = aborted_deferral(changed.get(target) or known.get(target))
            if aborted:
                changed[target] = aborted
    return list(changed.items())


def _history(run_id: str, ops: list[Op]) -> bytes:
    now = clock.now_ms()
    records = [_record(run_id, op, now) for op in ops if op.op in RESULT_OPS or op.op == "StepPlanned"]
    return encode_records(records) if records else b""


def _record(run_id: str, op: Op, now: int) -> StepRecorded:
    started = op.timing_start_ms or now
    is_done = op.op in RESULT_OPS
    return StepRecorded(
        run_id,
        op.id,
        0,
        "StepRun",
        "Completed" if is_done else "Running",
        name=op.display_name or op.user_id or op.name,
        queued_at=started,
        started_at=started,
        ended_at=max(started, started + op.timing_duration_ms) if is_done else 0,
        output=op.data if is_done else b"",
        input=op.input,
        info=msgspec.json.encode(op_info(op)),
    )
