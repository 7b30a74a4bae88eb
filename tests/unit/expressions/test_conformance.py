"""The conformance vectors of spec 02, 2.9, with our outcomes where the spec says "ours"."""

import pytest

from apps.engine.expressions import Bucket, ExpressionError, bucket, compile_expression, matches

# As the ingest completes it: sent without id, ts, v and user.
EVENT: dict[str, object] = {
    "id": "01HZX3T9W2N8Q4R6S8V0Y2B4D6",
    "name": "t/e",
    "ts": 1_714_903_200_000,
    "data": {
        "n": 5,
        "s": "x",
        "t": True,
        "f": False,
        "z": 0,
        "e": "",
        "nul": None,
        "list": ["a", "b"],
        "emptylist": [],
        "when": "2024-05-05T10:00:00Z",
        "o": {"k": 1},
        "js": '{"a":1}',
        "big": 1234567,
    },
}

MATCHING = [
    "event.data.missing == null",
    "event.data.missing != event.data.missing2",
    "event.data.missing < 5",
    "event.data.missing <= 0",
    "5 > event.data.missing",
    "event.data.missing != 'x'",
    "event.data.missing.deep.er == null",
    "!event.data.f",
    "event.data.missing + event.data.s == 'x'",
    "size(event.data.missing) == 0",
    "has(event.data.s)",
    "!has(event.data.q)",
    "event.data.nul == null",
    "event.data.nul == event.data.missing",
    "event.data.nul != 0",
    "event.data.nul <= 0",
    "event.data.nul < 'foo'",
    "event.data.nul.x == null",
    "event.data.n == 5",
    "event.data.n == 5.0",
    "string(event.data.n) == '5'",
    "event.data.n in [1, 5]",
    "event.data.n in [1.0, 5.0]",
    "event.data.n + 1 == 6",
    "event.data.n + 1.0 == 6.0",
    "event.data.n - 1 == 4",
    "event.data.n * 2.0 == 10.0",
    "event.data.n % 2 == 1",
    "int(event.data.n) + 1 == 6",
    "type(event.data.n) == double",
    "event.data.big == 1234567",
    "string(event.data.big) == '1234567'",
    "event.data.s + '-' + event.data.n == 'x-5'",
    "event.data.t",
    "true",
    "event.data.s == 'x' || event.data.zz",
    "event.data.zz || event.data.t",
    "event.data.z || event.data.e || event.data.t",
    "event.data.s && event.data.t",
    "event.data.zz ? false : true",
    "event.data.n > 3 ? event.data.t : false",
    'event.data.s == "x" && (event.data.missing == null || event.data.q.w > 5)',
    "event.data.list[0] == 'a'",
    "event.data.list[9] == null",
    "event.data['s'] == 'x'",
    "'b' in event.data.list",
    "'k' in event.data.o",
    "size(event.data.list) == 2",
    "event.data.list.exists(x, x == 'b')",
    "event.data.list.all(x, x != 'z')",
    "event.data.list.map(x, x + '1')[0] == 'a1'",
    "event.data.list.filter(x, x == 'a').size() == 1",
    "event.data.list == ['a','b']",
    "event.data.o == {'k': 1.0}",
    "event.data.s.startsWith('x')",
    "event.data.s.matches('^[a-z]$')",
    "uppercase(event.data.s) == 'X'",
    "lowercase(event.data.s) == 'x'",
    "b64decode('aGk=') == 'hi'",
    "json_parse('{\"a\":1}').a == 1",
    "json_parse(event.data.js).a == 1",
    "json_parse('zzz').a == null",
    "date(event.data.when) > date('2020-01-01')",
    "date(event.data.when) < now_minus('1h')",
    "date('2020-01-01') < now()",
    "date(event.ts) > date('2020-01-01')",
    "timestamp(event.data.when).getFullYear() == 2024",
    "duration('5m') > duration('1m')",
    "event.ts > 0",
    "event.id != null",
    "event.v == null",
    "event.name.startsWith('t/')",
    "async.data.x == null",
]

NOT_MATCHING = [
    "event.data.missing != null",
    "event.data.missing == ''",
    "event.data.missing == 0",
    "event.data.missing == false",
    "event.data.missing == event.data.missing2",
    "event.data.missing > 5",
    "event.data.missing >= 0",
    "5 < event.data.missing",
    "!event.data.missing",
    "!event.data.t",
    "event.data.missing.startsWith('x')",
    "string(event.data.missing) == ''",
    "'b' in event.data.missing",
    "event.data.missing.exists(x, x == 'a')",
    "event.data.missing.all(x, x == 'a')",
    "has(event.data.q)",
    "event.data.nul == 0",
    "event.data.nul > 0",
    "event.data.n == '5'",
    "event.data.n > '4'",
    "event.data.s > 4",
    "event.data.n",
    "null",
    "event.data.zz || event.data.s",
    "event.data.emptylist || event.data.t",
    "event.data.t && event.data.s",
    "event.user == null",
]

INVALID = [
    "foo.data == 1",
    "event.data. ==",
    "event.data.s.lowerAscii() == 'x'",
]


@pytest.mark.parametrize("source", MATCHING)
def test_matches(source: str) -> None:
    assert matches(compile_expression(source), EVENT) is True


@pytest.mark.parametrize("source", NOT_MATCHING)
def test_does_not_match(source: str) -> None:
    assert matches(compile_expression(source), EVENT) is False


@pytest.mark.parametrize("source", INVALID)
def test_is_refused(source: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(source)


def test_every_row_of_the_table_is_here() -> None:
    assert (len(MATCHING), len(NOT_MATCHING), len(INVALID)) == (73, 27, 3)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("event.data.s", Bucket("value", "x")),
        ("event.data.n", Bucket("value", "5")),
        ("event.data.missing", Bucket("missing", "false")),
        ("event.data.missing || event.data.s", Bucket("value", "x")),
        ("event.data.s + '-' + event.data.n", Bucket("value", "x-5")),
        ("event.data.n > 3", Bucket("value", "true")),
        ("event.data.f", Bucket("value", "false")),
        ("event.data.nul", Bucket("null", "<nil>")),
        ("event.data.n > '4'", Bucket("error", "<invalid>")),
        ("event.data.list", Bucket("value", "[a b]")),
        ("event.data.o", Bucket("value", "map[k:1]")),
        ("event.data.big", Bucket("value", "1234567")),
    ],
)
def test_keys(source: str, expected: Bucket) -> None:
    assert bucket(compile_expression(source), EVENT) == expected


def test_a_number_and_its_text_share_a_bucket() -> None:
    program = compile_expression("event.data.k")
    assert bucket(program, {"data": {"k": 5}}) == bucket(program, {"data": {"k": "5"}})
