"""A worker process: takes calls from its standard input until that ends. Started by `process.py`."""

import os
import sys
from typing import Final

from apps.webhooks.runtime import confinement
from apps.webhooks.runtime.isolate import Isolate, start_v8
from apps.webhooks.runtime.messages import LENGTH_BYTES, MAX_FRAME_BYTES, Call, decode_call, encode

READY: Final = b"ready"
SEALED: Final = b"sealed"


def main() -> int:
    """0 when the pool closes the pipe; a call beyond its limits ends the process after its answer."""
    confinement.limit_resources()
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever V8 prints is no answer
    start_v8()
    _warm_up()
    _write(answers, SEALED if confinement.seal() else READY)
    while (call := _next_call()) is not None:
        isolate = _isolates.pop()
        result = isolate.run(call)
        _write_all(answers, encode(result))
        if result.ending.is_limit:
            # V8 may still be busy ending the script: nothing to wait for.
            os._exit(0)
        isolate.close()
        _isolates.append(Isolate())
    return 0


_isolates: list[Isolate] = []


def _warm_up() -> None:
    """Load everything that a call needs, while files can still be opened."""
    first = Isolate()
    first.run(Call("console.log(new Intl.NumberFormat('en').format(1)); var transform = () => null"))
    first.run(Call("function ("))
    first.close()
    _isolates.append(Isolate())


def _next_call() -> Call | None:
    length = _read(LENGTH_BYTES)
    if not length:
        return None
    size = int.from_bytes(length, "big")
    if size > MAX_FRAME_BYTES:
        return None
    return decode_call(_read(size))


def _read(size: int) -> bytes:
    parts = []
    while size:
        part = os.read(0, min(size, 1 << 20))
        if not part:
            return b""
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _write(target: int, message: bytes) -> None:
    _write_all(target, len(message).to_bytes(LENGTH_BYTES, "big") + message)


def _write_all(target: int, frame: bytes) -> None:
    view = memoryview(frame)
    while view:
        view = view[os.write(target, view) :]


if __name__ == "__main__":
    sys.exit(main())
