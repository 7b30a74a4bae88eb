"""Texts and bodies that attack whoever shows or parses them."""

import gzip
import json
from typing import Final

# Breaks out of text, attributes with either quote, scripts, JSON in scripts and templates; short enough for
# every name that a tenant can give.
MARKUP: Final = "'\"></script><img src=x onerror=document.body.id=7>{{7*7}}"
# How it begins where it was not escaped.
LIVE: Final = "<img src=x"

DEEP: Final = 100_000

BODIES: Final = {
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep data": b'{"name":"a/b","data":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
    "unfinished": b'{"name":"a/b","data":' + b"[" * DEEP,
    "a long number": b'{"name":"a/b","data":{"n":' + b"9" * 100_000 + b"}}",
    "an endless number": b'{"name":"a/b","data":{"n":1e999999}}',
    "no number": b'{"name":"a/b","data":{"n":NaN}}',
    "no UTF-8": b'{"name":"a/b","data":{"t":"\xff\xfe"}}',
    "half a character": b'{"name":"a/b","data":{"t":"\\ud800"}}',
    "a null character": b'{"name":"a\\u0000b","data":{"t":"\\u0000"},"id":"\\u0000"}',
    "nothing": b"",
    "a null": b"null",
    "a text": b'"a"',
    "a list of everything": json.dumps([None, 1, "a", [], {}, {"name": 1}]).encode(),
    "names of Python": b'{"name":"a/b","data":{"__proto__":{"x":1},"__class__":"y"}}',
}

# 64 MB of blanks in 64 KB.
BOMB: Final = gzip.compress(b" " * (64 * 1024 * 1024))
