"""Lines of children: whole, prefixed, coloured on a terminal only."""

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from apps.devserver.logs import LineSplitter, LogPrinter


@given(chunks=st.lists(st.binary(max_size=40), max_size=8))
def test_chunks_give_the_lines_of_their_sum(chunks: list[bytes]) -> None:
    splitter = LineSplitter()
    lines = [line for chunk in chunks for line in splitter.feed(chunk)] + splitter.finish()
    whole = b"".join(chunks).split(b"\n")
    expected = whole if whole[-1] else whole[:-1]
    assert lines == [line.rstrip(b"\r").decode("utf-8", "replace") for line in expected]


def test_a_line_without_end_is_cut() -> None:
    assert LineSplitter().feed(b"a" * 70_000) == ["a" * 70_000]


def printed(*, coloured: bool = False, as_json: bool = False) -> str:
    stream = io.StringIO()
    LogPrinter(stream, coloured=coloured, as_json=as_json).line("web", "hello")
    return stream.getvalue()


def test_plain_and_coloured() -> None:
    assert printed() == "web       | hello\n"
    assert printed(coloured=True) == "\x1b[36mweb       |\x1b[0m hello\n"


def test_json() -> None:
    line = json.loads(printed(as_json=True))
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "INFO", "msg": "hello", "caller": "web"}


class GoneStream(io.StringIO):
    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        raise BrokenPipeError


def test_a_terminal_that_has_gone_is_written_to_once() -> None:
    stream = GoneStream()
    printer = LogPrinter(stream, coloured=False, as_json=False)
    printer.line("web", "one")
    printer.line("web", "two")
    assert stream.writes == 1
