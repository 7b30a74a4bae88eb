"""Whether a domain's TXT records hold a text: the proof that an organisation owns it.

A resolver of one question (RFC 1035): UDP to the machine's name servers, TCP when the answer is cut short.
"""

import re
import secrets
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_TXT: Final = 16
_IN: Final = 1
_TIMEOUT_SECONDS: Final = 3.0
_TRUNCATED: Final = 0x0200
_RESOLVERS = Path("/etc/resolv.conf")
_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class LookupFailed(Exception):
    """No name server has answered."""


class _Malformed(Exception):
    pass


def is_domain(text: str) -> bool:
    return _DOMAIN.fullmatch(text) is not None


def txt_records(domain: str, servers: list[tuple[str, int]] | None = None) -> list[str]:
    """Raises LookupFailed. A name without such records has none of them: the list is empty."""
    question = _question(domain)
    for server in servers if servers is not None else _servers():
        try:
            return list(_texts(_ask(server, question), question))
        except (OSError, _Malformed, struct.error, IndexError):
            continue
    raise LookupFailed


def _servers() -> list[tuple[str, int]]:
    lines = _RESOLVERS.read_text().splitlines() if _RESOLVERS.exists() else []
    words = [line.split() for line in lines]
    return [(parts[1], 53) for parts in words if len(parts) > 1 and parts[0] == "nameserver"]


def _question(domain: str) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in domain.split("."))
    header = struct.pack(">HHHHHH", secrets.randbits(16), 0x0100, 1, 0, 0, 0)
    return header + labels + b"\0" + struct.pack(">HH", _TXT, _IN)


def _ask(server: tuple[str, int], question: bytes) -> bytes:
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as channel:
        channel.settimeout(_TIMEOUT_SECONDS)
        channel.connect(server)
        channel.send(question)
        answer = channel.recv(4096)
    _check(answer, question)
    if struct.unpack_from(">H", answer, 2)[0] & _TRUNCATED:
        answer = _ask_by_tcp(server, question)
        _check(answer, question)
    return answer


def _ask_by_tcp(server: tuple[str, int], question: bytes) -> bytes:
    with socket.create_connection(server, _TIMEOUT_SECONDS) as channel, channel.makefile("rb") as stream:
        channel.sendall(struct.pack(">H", len(question)) + question)
        return stream.read(struct.unpack(">H", stream.read(2))[0])


def _check(answer: bytes, question: bytes) -> None:
    """It must answer this very question, and not with a failure; "no such name" is an answer."""
    flags = struct.unpack_from(">H", answer, 2)[0]
    is_answer = answer[:2] == question[:2] and bool(flags & 0x8000) and flags & 0xF in (0, 3)
    if not is_answer or answer[12 : len(question)].lower() != question[12:].lower():
        raise _Malformed


def _texts(answer: bytes, question: bytes) -> Iterator[str]:
    count, at = struct.unpack_from(">H", answer, 6)[0], len(question)
    for _ in range(count):
        at = _skip_name(answer, at)
        kind, _, _, length = struct.unpack_from(">HHIH", answer, at)
        at += 10
        if kind == _TXT:
            yield _joined(answer[at : at + length])
        at += length


def _skip_name(answer: bytes, at: int) -> int:
    while answer[at]:
        if answer[at] >= 0xC0:  # a pointer ends the name
            return at + 2
        at += answer[at] + 1
    return at + 1


def _joined(data: bytes) -> str:
    """A record is strings of up to 255 bytes, each after its length."""
    text, at = b"", 0
    while at < len(data):
        text += data[at + 1 : at + 1 + data[at]]
        at += data[at] + 1
    return text.decode("utf-8", "replace")
