"""One call in one V8 isolate, which is thrown away afterwards: nothing of a tenant is there for the next.

Only worker processes import this: it loads V8.
"""

import json
import re
import time
from pathlib import Path
from typing import Final, cast

from py_mini_racer import (
    JSFunction,
    JSOOMException,
    JSTimeoutException,
    MiniRacer,
    init_mini_racer,
)
from py_mini_racer._exc import MiniRacerBaseException

from apps.webhooks.runtime.messages import (
    HEAP_BYTES,
    MAX_RESULT_CHARS,
    Call,
    Ending,
    Function,
    Result,
)

# Without the compiler to machine code a flaw of it cannot be used, and no memory is both writable and
# executable. The heap's limit here ends the process; the isolate's own comes before it.
V8_FLAGS: Final = ("--jitless", f"--max-heap-size={HEAP_BYTES * 5 // 4 // (1024 * 1024)}")

_SOURCE_NAME = "transform.js"
_HARNESS = (Path(__file__).with_name("harness.js")).read_text()
_FRAME = re.compile(re.escape(_SOURCE_NAME) + r":(\d+):(\d+)")
# A script that V8 could not read to its end has no name yet.
_SYNTAX = re.compile(rf"(?:{re.escape(_SOURCE_NAME)}|<anonymous>):(\d+): (.*)\n(.*)\n(\s*)\^", re.MULTILINE)
_SEPARATOR = "\0"
_MAX_MESSAGE = 2000


def start_v8() -> None:
    """Before the first isolate of the process."""
    init_mini_racer(flags=V8_FLAGS)


class Isolate:
    """Made ahead of its call, which is good for exactly one."""

    def __init__(self) -> None:
        self._engine = MiniRacer()
        self._engine.set_hard_memory_limit(HEAP_BYTES)
        self._drive = cast(JSFunction, self._engine.eval(_HARNESS))

    def close(self) -> None:
        self._engine.close()

    def run(self, call: Call) -> Result:
        started = time.monotonic()
        self._ends_at = started + call.timeout_ms / 1000
        result = self._outcome(call)
        return _with(result, logs=self._logs(call, result), started=started)

    def _outcome(self, call: Call) -> Result:
        try:
            return self._call(call)
        except MiniRacerBaseException as problem:
            return self._ended(call, problem)

    def _ended(self, call: Call, problem: MiniRacerBaseException) -> Result:
        """A script that V8 ends may also seem to have thrown, depending on where it was at that moment."""
        if isinstance(problem, JSOOMException) or self._engine.was_hard_memory_limit_reached():
            return Result(Ending.MEMORY, message="the script needed too much memory")
        if isinstance(problem, JSTimeoutException) or time.monotonic() >= self._ends_at:
            return Result(Ending.TIMEOUT, message=f"the script took longer than {call.timeout_ms} ms")
        return _of_evaluation(str(problem))

    def _call(self, call: Call) -> Result:
        self._drive("prepare", _options(call), call.event, call.raw, timeout_sec=self._left())
        self._engine.eval(f"{call.source}\n//# sourceURL={_SOURCE_NAME}", timeout_sec=self._left())
        name = call.function.script_name
        found = self._engine.eval(f"typeof {name} === 'function' ? {name} : 0", timeout_sec=self._left())
        if not isinstance(found, JSFunction):
            return Result(Ending.THROWN, message=f"the script must define a function named {name}")
        told = str(self._drive("run", found, name, timeout_sec=self._left()))
        return _of_checked(told) if call.function in _CHECKS else _of_run(told)

    def _logs(self, call: Call, result: Result) -> list[str]:
        if not call.is_preview or result.ending.is_limit:
            return []
        text = str(self._drive("logs", timeout_sec=1.0))
        return text.split(_SEPARATOR) if text else []

    def _left(self) -> float:
        return max(0.001, self._ends_at - time.monotonic())


_CHECKS = (Function.CHECK, Function.CHECK_RESPOND)


def _options(call: Call) -> str:
    return json.dumps(
        {
            "now": call.now_ms,
            "preview": call.is_preview,
            "max": MAX_RESULT_CHARS,
            "headers": call.headers,
            "query": call.query,
        }
    )


def _of_run(told: str) -> Result:
    ending, _, rest = told.partition(_SEPARATOR)
    if ending == Ending.OK:
        return Result(Ending.OK, value=rest)
    message, _, stack = rest.partition(_SEPARATOR)
    line, column = _place(stack)
    return Result(Ending.THROWN, message=_cut(message), line=line, column=column)


def _of_checked(told: str) -> Result:
    """What the function does with an empty event says nothing about it, as long as it returns or throws."""
    return Result(Ending.OK, value="null") if told else Result(Ending.CRASHED)


def _of_evaluation(text: str) -> Result:
    """Of a script that does not compile, or throws before its function is called."""
    found = _SYNTAX.search(text)
    if found is None:
        return Result(Ending.THROWN, message=_cut(text))
    line, message, _, indent = found.groups()
    return Result(Ending.THROWN, message=_cut(message), line=int(line), column=len(indent) + 1)


def _place(stack: str) -> tuple[int, int]:
    found = _FRAME.search(stack)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def _cut(text: str) -> str:
    return text.encode(errors="replace").decode()[:_MAX_MESSAGE]


def _with(result: Result, *, logs: list[str], started: float) -> Result:
    return Result(
        result.ending,
        result.value.encode(errors="replace").decode(),
        result.message,
        result.line,
        result.column,
        [_cut(line) for line in logs],
        round((time.monotonic() - started) * 1000),
    )
