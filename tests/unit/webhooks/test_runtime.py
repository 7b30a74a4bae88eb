"""Scripts in their worker processes: what they get, what they return, and what they cannot do."""

import json

import pytest

from apps.webhooks.runtime.messages import Ending, Function
from tests.unit.webhooks.conftest import Run

NOW_MS = 1_700_000_000_000
ECHO = "function transform(evt, headers, queryParams, raw) { return {evt, headers, queryParams, raw}; }"


def returned(run: Run, expression: str, **options: object) -> object:
    result = run(f"function transform(evt) {{ return {{value: {expression}}}; }}", **options)
    assert result.ending == Ending.OK, result.message
    return json.loads(result.value)["value"]


def test_the_arguments_of_a_transform(run: Run) -> None:
    result = run(
        ECHO,
        event='{"a":[1,"x",null]}',
        headers={"X-Github-Event": "push"},
        query={"tag": ["a", "b"]},
        raw='{"a" : 1}',
    )
    assert json.loads(result.value) == {
        "evt": {"a": [1, "x", None]},
        "headers": {"X-Github-Event": "push"},
        "queryParams": {"tag": ["a", "b"]},
        "raw": '{"a" : 1}',
    }


@pytest.mark.parametrize(
    "source",
    [
        "function transform(e) { return {name: 'n', data: e}; }",
        "const transform = (e) => ({name: 'n', data: e});",
        "let transform = e => ({name: 'n', data: {...e}});",
        "var transform = function (e) { return {name: 'n', data: e}; };",
        "class T { static of(e) { return {name: 'n', data: e ?? {}}; } }\nconst transform = T.of;",
        "globalThis.transform = ({...data}) => ({name: `n`, data});",
    ],
)
def test_any_way_to_define_the_function(run: Run, source: str) -> None:
    result = run(source, event='{"a":1}')
    assert (result.ending, json.loads(result.value)) == (Ending.OK, {"name": "n", "data": {"a": 1}})


def test_headers_by_any_case(run: Run) -> None:
    headers = {"X-Github-Event": "push"}
    expression = "[header('x-github-event'), header('X-GITHUB-EVENT'), header('x-none') === undefined]"
    assert returned(run, expression, headers=headers) == ["push", "push", True]


def test_a_script_may_use_the_helpers_name_for_itself(run: Run) -> None:
    source = "const header = 'mine'; function transform() { return {value: header}; }"
    assert json.loads(run(source).value) == {"value": "mine"}


@pytest.mark.parametrize(
    "expression",
    [
        "Date.now()",
        "new Date().getTime()",
        "new (new Date().constructor)().getTime()",
        "Date.prototype.constructor.now()",
        "Reflect.construct(Date, []).getTime()",
        "new (class extends Date {})().getTime()",
    ],
)
def test_now_is_the_time_of_reception(run: Run, expression: str) -> None:
    assert returned(run, expression, now_ms=NOW_MS) == NOW_MS


def test_other_ways_to_ask_for_the_time(run: Run) -> None:
    expression = (
        "[Date().slice(0, 15), new Intl.DateTimeFormat('en-GB').format(), typeof Temporal, "
        "Intl.DateTimeFormat('en-GB').formatToParts()[4].value, new Date(5).getTime(), "
        "new Date(2020, 1, 3).toISOString(), Date.UTC(2020, 0), Date.length, new Date() instanceof Date]"
    )
    assert returned(run, expression, now_ms=NOW_MS) == [
        "Tue Nov 14 2023",
        "14/11/2023",
        "undefined",
        "2023",
        5,
        "2020-02-03T00:00:00.000Z",
        1577836800000,
        7,
        True,
    ]


def test_there_is_nothing_but_the_language(run: Run) -> None:
    names = "setTimeout setInterval fetch require process Deno WebAssembly SharedArrayBuffer Atomics"
    expression = f"'{names}'.split(' ').filter(n => typeof globalThis[n] !== 'undefined')"
    assert returned(run, expression) == []


def test_no_modules(run: Run) -> None:
    assert "import" in run("import fs from 'fs'; function transform() { return null; }").message
    result = run("function transform() { import('fs'); return null; }")
    assert (result.ending, result.value) == (Ending.OK, "null")  # the promise is never settled


def test_no_way_out_through_constructors(run: Run) -> None:
    expression = "(() => {}).constructor.constructor('return typeof process + typeof require')()"
    assert returned(run, expression) == "undefinedundefined"


def test_nothing_is_left_for_the_next_call(run: Run) -> None:
    run("globalThis.leak = 1; Object.prototype.leak = 1; function transform() { return null; }")
    assert returned(run, "[typeof leak, 'leak' in {}]") == ["undefined", False]


@pytest.mark.parametrize(
    "script",
    [
        'JSON.stringify = () => \'{"name":"forged"}\'; JSON.parse = null;',
        "String = Promise = Date = Object = Reflect = undefined;",
        "String.prototype.split = String.prototype.substring = () => { throw 1; };",
        "Object.defineProperty(Object.prototype, 'then', {get() { throw 1; }});",
        "console.log = null; header = null;",
        "Symbol.hasInstance; Function.prototype.call = Function.prototype.apply = null;",
    ],
)
def test_replaced_built_ins_change_nothing_of_the_result(run: Run, script: str) -> None:
    result = run(script + "function transform(e) { return {name: 'n', data: e}; }", event='{"a":1}')
    assert (result.ending, json.loads(result.value)) == (Ending.OK, {"name": "n", "data": {"a": 1}})


def test_proto_in_a_body_is_data(run: Run) -> None:
    result = run(ECHO, event='{"__proto__":{"admin":true},"constructor":1}')
    assert json.loads(result.value)["evt"] == {"__proto__": {"admin": True}, "constructor": 1}
    assert returned(run, "String(evt.admin)", event='{"__proto__":{"admin":true}}') == "undefined"


@pytest.mark.parametrize(
    ("source", "message", "line", "column"),
    [
        ("function transform(e) {\n  return e.data.id;\n}", "Cannot read properties of undefined", 2, 17),
        ("function transform() {\n  throw new RangeError('no');\n}", "RangeError: no", 2, 9),
        ("function transform() { throw 'text'; }", "text", 0, 0),
        ("function transform() { throw null; }", "null", 0, 0),
        ("function transform() { throw {toString() { throw 1; }}; }", "{}", 0, 0),
        ("\nfunction transform( {", "SyntaxError", 3, 27),
        ("throw new Error('at once')", "Error: at once", 1, 1),
        ("var other = 1", "the script must define a function named transform", 0, 0),
        ("var transform = 1", "the script must define a function named transform", 0, 0),
        ("async function transform() {}", "transform must not be async", 0, 0),
        ("function transform() {}", "transform returned nothing", 0, 0),
        ("function transform() { return () => 1; }", "transform returned no JSON value", 0, 0),
        ("function transform() { return Symbol(); }", "transform returned no JSON value", 0, 0),
        (
            "function transform() { return {a: 10n}; }",
            "TypeError: Do not know how to serialize a BigInt",
            0,
            0,
        ),
        ("function transform() { const a = {}; a.a = a; return a; }", "circular structure", 0, 0),
        ("function transform() { return transform(); }", "Maximum call stack size exceeded", 1, None),
        ("function transform() { return {s: 'é'.repeat(9e6)}; }", "the result is too large", 0, 0),
    ],
)
def test_errors_tell_where_they_are(
    run: Run, source: str, message: str, line: int, column: int | None
) -> None:
    result = run(source)
    assert result.ending == Ending.THROWN
    assert message in result.message
    assert result.line == line
    assert column is None or result.column == column


@pytest.mark.parametrize(
    ("source", "message", "line", "column"),
    [
        ("function transform(e) {\n  return {;\n}", "SyntaxError: Unexpected token ';'", 2, 11),
        ("function transform(e) { return } }", "SyntaxError: Unexpected token '}'", 1, 34),
        ("let a;\nlet a;", "SyntaxError: Identifier 'a' has already been declared", 2, 5),
    ],
)
def test_what_does_not_compile_is_told_in_one_line(
    run: Run, source: str, message: str, line: int, column: int
) -> None:
    """V8 names a script only after it has read it to its end."""
    result = run(source)
    assert (result.message, result.line, result.column) == (message, line, column)


def test_the_console_speaks_in_previews_only(run: Run) -> None:
    source = "console.log('a', {b: 1}); function transform() { console.warn(2, undefined); return null; }"
    assert run(source, is_preview=True).logs == ['a {"b":1}', "2 undefined"]
    assert run(source).logs == []


def test_the_console_tells_what_came_before_an_error(run: Run) -> None:
    result = run("console.log('before'); function transform() { nowhere(); }", is_preview=True)
    assert (result.ending, result.logs) == (Ending.THROWN, ["before"])


def test_the_console_is_bounded(run: Run) -> None:
    source = (
        "for (let i = 0; i < 1000; i++) console.log('x'.repeat(1e4)); function transform() { return null; }"
    )
    logs = run(source, is_preview=True).logs
    assert (len(logs), {len(line) for line in logs}) == (100, {2000})


def test_lone_surrogates_survive_as_replacements(run: Run) -> None:
    result = run("function transform() { console.log('\\ud800'); return {s: '\\ud800'}; }", is_preview=True)
    assert (result.value, result.logs) == ('{"s":"\\ud800"}', ["\ufffd"])


def test_an_error_with_half_a_surrogate_pair(run: Run) -> None:
    assert run("function transform() { throw new Error('\\udc00'); }").message == "Error: \ufffd"


def test_the_response_function(run: Run) -> None:
    source = "const respond = (body, headers, query) => ({status: 200, body: query['hub.challenge'][0]});"
    result = run(source, function=Function.RESPOND, query={"hub.challenge": ["42"]})
    assert json.loads(result.value) == {"status": 200, "body": "42"}


def test_a_check_calls_the_function_and_does_not_mind_what_it_throws(run: Run) -> None:
    source = "function transform(evt) { return {name: evt.a.b.c}; }"
    assert run(source, function=Function.CHECK).ending == Ending.OK
    assert run("var x = 1", function=Function.CHECK).ending == Ending.THROWN
    assert run("function transform() { for (;;); }", function=Function.CHECK).ending == Ending.TIMEOUT


def test_a_body_of_the_largest_event(run: Run) -> None:
    event = json.dumps({"text": "x" * 3_000_000})
    result = run("function transform(e) { return {length: e.text.length}; }", event=event, raw=event)
    assert json.loads(result.value) == {"length": 3_000_000}
