"""What the app writes down of each call: one JSON line when it arrives and one when it is answered.

Times are seconds since the epoch, on the clock of the machine that runs everything.
"""

import os
from pathlib import Path

import msgspec


class Call(msgspec.Struct, frozen=True, tag="call"):
    """One call request as the app got it.

    `number` counts the calls of the app from 1. `memos` maps the id of each step that the request
    carries to the number of the call that executed it, 0 where no call did (sleeps, waits). `target` is
    the step that was asked for, empty for a discovery.
    """

    number: int
    at: float
    function: str
    run: str
    n: int
    target: str
    job: str
    generation: int
    attempt: int
    memos: dict[str, int]


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """How the call of that number was answered: `kind` is run, plan, nap, wait, invoke, error or end.

    `step` is the step whose code ran to its end in this call, empty where none did. `is_heard` is false
    when the caller had gone before the answer.
    """

    number: int
    at: float
    kind: str
    step: str = ""
    is_heard: bool = True


Line = Call | Answer

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


class Journal:
    """Appends lines. Each is one write, so that whatever reads the file sees whole lines."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def add(self, line: Line) -> None:
        os.write(self._file, _encoder.encode(line) + b"\n")


class JournalReader:
    """All calls and answers so far; `refresh` reads on where it stopped."""

    def __init__(self, path: Path) -> None:
        self.calls: list[Call] = []
        self.answers: dict[int, Answer] = {}
        self._path = path
        self._offset = 0

    def refresh(self) -> None:
        with self._path.open("rb") as journal:
            journal.seek(self._offset)
            content = journal.read()
        complete = content[: content.rfind(b"\n") + 1]
        self._offset += len(complete)
        for text in complete.splitlines():
            line = _decoder.decode(text)
            if isinstance(line, Call):
                self.calls.append(line)
            else:
                self.answers[line.number] = line
