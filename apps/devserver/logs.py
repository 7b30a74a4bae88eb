"""One terminal for all processes: each line says whose it is."""

import json
from datetime import UTC, datetime
from typing import TextIO

_LONGEST_LINE = 64 * 1024
_NAME_WIDTH = len("scheduler")
_RESET = "\x1b[0m"
_COLOURS = {
    "dev": "\x1b[1m",
    "server": "\x1b[1m",
    "web": "\x1b[36m",
    "worker": "\x1b[32m",
    "scheduler": "\x1b[35m",
    "valkey": "\x1b[33m",
}


class LineSplitter:
    """Turns chunks of a child's output into whole lines; a line without end is cut at 64 KiB."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        return [_readable(line) for line in lines]

    def finish(self) -> list[str]:
        rest, self._rest = self._rest, b""
        return [_readable(rest)] if rest else []


def _readable(line: bytes) -> str:
    return line.rstrip(b"\r").decode("utf-8", "replace")


def _is_object(text: str) -> bool:
    try:
        return text.startswith("{") and isinstance(json.loads(text), dict)
    except ValueError:
        return False


class LogPrinter:
    """Prints lines of the platform's processes; a terminal that has gone away takes no more."""

    def __init__(self, stream: TextIO, *, coloured: bool, as_json: bool) -> None:
        self._stream = stream
        self._coloured = coloured
        self._as_json = as_json
        self._is_gone = False

    @property
    def is_json(self) -> bool:
        return self._as_json

    def line(self, source: str, text: str) -> None:
        if self._as_json and not text.strip():
            return
        self._write(self._json(source, text) if self._as_json else self._plain(source, text))

    def raw(self, text: str) -> None:
        """Text as it is, for people: nothing where lines are JSON."""
        if not self._as_json:
            self._write(text)

    def _plain(self, source: str, text: str) -> str:
        name = f"{source:<{_NAME_WIDTH}} |"
        colour = _COLOURS.get(source) if self._coloured else None
        return f"{colour}{name}{_RESET} {text}" if colour else f"{name} {text}"

    @staticmethod
    def _json(source: str, text: str) -> str:
        """A child's own object stays as it is."""
        if _is_object(text):
            return text
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return json.dumps({"time": now, "level": "INFO", "msg": text, "caller": source}, ensure_ascii=False)

    def _write(self, text: str) -> None:
        if self._is_gone:
            return
        try:
            self._stream.write(text + "\n")
            self._stream.flush()
        except BrokenPipeError:
            # The reader of our output has left (`make dev | head`); the platform goes on without it.
            self._is_gone = True
