"""Event batches and what they cannot be combined with (spec 02 4.4 and 4.8)."""

from apps.engine.functions import Batch
from apps.engine.protocol.durations import format_duration
from apps.registry.validation.fields import Fields
from apps.registry.validation.limits import SECOND_MS, Limits
from apps.registry.validation.problems import Problems, duration_ms

_MIN_SIZE = 2
_MIN_TIMEOUT_MS = SECOND_MS


def read_batch(fields: Fields, problems: Problems, limits: Limits) -> Batch | None:
    batch = fields.child("batchEvents")
    if batch is None:
        return None
    _check_combinations(fields, problems)
    return Batch(
        max_size=_read_size(batch, problems, limits),
        timeout_ms=_read_timeout(batch.text("timeout"), problems, limits),
        key=problems.check_expression(batch.text("key"), "batch key expression is invalid"),
        condition=problems.check_expression(batch.text("if"), "batch if expression is invalid"),
    )


def _check_combinations(fields: Fields, problems: Problems) -> None:
    if "debounce" in fields:
        problems.add("Batching and debouncing are mutually exclusive")
    if fields.array("cancel"):
        problems.add("Batching and cancellation are mutually exclusive")
    if "singleton" in fields:
        problems.add("Batching and singletons are mutually exclusive")
    if (priority := fields.child("priority")) and priority.text("run"):
        problems.add("A function cannot specify Priority.Run and Batch together")


def _read_size(batch: Fields, problems: Problems, limits: Limits) -> int:
    size = batch.integer("maxSize")
    if size < _MIN_SIZE:
        problems.add(f"batch size cannot be smaller than {_MIN_SIZE}: {size}")
    elif size > limits.batch_size:
        problems.add(f"batch size cannot be larger than {limits.batch_size}: {size}")
    return size


def _read_timeout(text: str, problems: Problems, limits: Limits) -> int:
    timeout_ms = duration_ms(text)
    if timeout_ms is None:
        problems.add(f"invalid timeout string: {text}")
        return 0
    if timeout_ms < _MIN_TIMEOUT_MS:
        problems.add("batch timeout should be more than 1s")
    elif timeout_ms > limits.batch_timeout_ms:
        problems.add(f"batch timeout should be at most {format_duration(limits.batch_timeout_ms)}")
    return timeout_ms
