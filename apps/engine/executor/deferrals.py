"""Runs to start when this one ends: DeferAdd and DeferAbort (spec 01, 11.8)."""

import logging

import msgspec

from apps.engine import ending
from apps.engine.executor.commit_builder import CommitBuilder
from apps.engine.protocol import op_options
from apps.engine.protocol.opcodes import Op
from apps.engine.protocol.responses import Ops

logger = logging.getLogger(__name__)

MAX_DEFERRALS = 20
MAX_DEFERRAL_BYTES = 4 * 1024 * 1024

_encode = msgspec.json.Encoder().encode


def defer_add(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    deferral = parse_deferral(op)
    known = builder.state.defers
    if deferral is None or op.id in known:
        return
    if len(known) >= MAX_DEFERRALS or len(deferral) + sum(map(len, known.values())) > MAX_DEFERRAL_BYTES:
        logger.warning("run %s: deferral %s is over the limit", builder.item.run_id, op.id)
        return
    builder.add("L", op.id, deferral)
    known[op.id] = deferral


def parse_deferral(op: Op) -> bytes | None:
    """The stored form of a DeferAdd; None when its options are unusable."""
    options = op_options.defer_options(op)
    if options is None:
        return None
    deferral = ending.Deferral(options.function_slug, msgspec.Raw(options.input or b"{}"))
    if options.meta:
        deferral.meta = msgspec.Raw(options.meta)
    return _encode(deferral)


def defer_abort(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    target = op_options.defer_abort_target(op)
    aborted = aborted_deferral(builder.state.defers.get(target))
    if aborted is not None:
        builder.add("L", target, aborted)
        builder.state.defers[target] = aborted


def aborted_deferral(stored: bytes | None) -> bytes | None:
    if stored is None:
        return None
    deferral = msgspec.json.decode(stored, type=ending.Deferral)
    deferral.aborted = True
    return _encode(deferral)
