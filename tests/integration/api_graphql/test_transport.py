"""HTTP forms of requests and answers (spec 03, 6.1)."""

import json

import pytest
from django.test import Client
from graphql import get_introspection_query

from apps.api.graphql import limits
from tests.integration.api_graphql.data import ask, make_app, make_function

pytestmark = pytest.mark.django_db

TYPENAME = '{"query":"{__typename}"}'


def post(body: bytes | str, content_type: str = "application/json") -> tuple[int, dict[str, object]]:
    response = Client().post("/v0/gql", body, content_type=content_type)
    return response.status_code, response.json()


def refused(message: str) -> dict[str, object]:
    return {"errors": [{"message": message}], "data": None}


def test_a_query_is_answered_as_json() -> None:
    response = Client().post("/v0/gql", TYPENAME, content_type="application/json; charset=utf-8")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response.content == b'{"data":{"__typename":"Query"}}'
    assert not response.cookies


def test_no_csrf_token_is_asked_for() -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/v0/gql", TYPENAME, content_type="application/json").status_code == 200


def test_operation_name_selects() -> None:
    body = {"query": "query A {a: __typename} query B {b: __typename}", "operationName": "B"}
    assert post(json.dumps(body)) == (200, {"data": {"b": "Query"}})


def test_get_runs_queries_only() -> None:
    variables = json.dumps({"skip": True})
    query = "query($skip: Boolean!) {__typename apps @skip(if: $skip) {id}}"
    response = Client().get("/v0/gql", {"query": query, "variables": variables})
    assert (response.status_code, response.json()) == (200, {"data": {"__typename": "Query"}})
    refusal = Client().get("/v0/gql", {"query": 'mutation {deleteAppByName(name: "x")}'})
    assert refusal.status_code == 422
    assert refusal.json()["errors"][0]["message"] == "GET requests only allow query operations"


def test_other_methods_are_refused() -> None:
    assert Client().put("/v0/gql", TYPENAME, content_type="application/json").status_code == 405


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "json request body could not be decoded"),
        ('{"query":"\\ud800"}', "json request body could not be decoded"),
        ("[" * 100_000, "json request body could not be decoded"),
        ("[]", "request must be a JSON object"),
        ("{}", "no operation provided"),
        ('{"query":1}', "no operation provided"),
        ('{"query":"{__typename}","variables":[]}', "variables must be a JSON object"),
        ('{"query":"{__typename}","operationName":1}', "operationName must be a string"),
    ],
)
def test_what_is_no_request_is_a_bad_request(body: str, message: str) -> None:
    assert post(body) == (400, refused(message))


def test_other_content_types_are_not_supported() -> None:
    assert post("query={__typename}", "application/x-www-form-urlencoded") == (
        400,
        refused("transport not supported"),
    )


def test_a_syntax_error_is_unprocessable() -> None:
    reply = ask("{")
    assert reply.status == 422
    assert reply.body == {
        "errors": [
            {
                "message": "Syntax Error: Expected Name, found <EOF>.",
                "locations": [{"line": 1, "column": 2}],
                "extensions": {"code": "GRAPHQL_PARSE_FAILED"},
            }
        ],
        "data": None,
    }


def test_an_unknown_field_is_unprocessable() -> None:
    reply = ask("{nope}")
    assert reply.status == 422
    assert reply.body == {
        "errors": [
            {
                "message": "Cannot query field 'nope' on type 'Query'.",
                "locations": [{"line": 1, "column": 2}],
                "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
            }
        ],
        "data": None,
    }


@pytest.mark.parametrize(
    ("query", "variables", "message"),
    [
        ("query($id: UUID!) {app(id: $id) {id}}", {"id": "abc"}, "invalid UUID length: 3"),
        ('{app(id: "abc") {id}}', {}, "invalid UUID length: 3"),
        ('{eventV2(id: "abc") {id}}', {}, "'abc' is not a ULID"),
        ('{runs(orderBy: [], filter: {from: "x"}) {totalCount}}', {}, "'x' is not an RFC 3339 timestamp"),
        ("{apps(filter: {method: NOPE}) {id}}", {}, "Value 'NOPE' does not exist in 'AppMethod' enum."),
    ],
)
def test_values_that_do_not_fit_are_unprocessable(
    query: str, variables: dict[str, object], message: str
) -> None:
    reply = ask(query, **variables)
    assert reply.status == 422
    assert message in reply.messages[0]


def test_a_weaker_variable_type_is_accepted_where_a_default_exists() -> None:
    query = """query($internal: Boolean = true) {
        eventsV2(filter: {from: "2026-01-01T00:00:00Z", includeInternalEvents: $internal}) {totalCount}
    }"""
    assert ask(query).data == {"eventsV2": {"totalCount": 0}}


def test_introspection_is_on() -> None:
    reply = ask(get_introspection_query())
    assert {"Query", "FunctionRunV2"} <= {type_["name"] for type_ in reply.data["__schema"]["types"]}  # type: ignore[index]


def test_the_body_is_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.api.graphql.views.MAX_BODY_BYTES", 10)
    assert post(TYPENAME) == (413, refused("request body is larger than 10 bytes"))


def nested(levels: int) -> str:
    inner = "id"
    for _ in range((levels - 2) // 2):
        inner = f"functions {{ app {{ {inner} }} }}"
    return f"{{ apps {{ {inner} }} }}"


def test_depth_is_limited() -> None:
    assert ask(nested(limits.MAX_DEPTH - 1)).status == 200
    too_deep = ask(nested(limits.MAX_DEPTH + 1))
    assert too_deep.status == 422
    assert too_deep.messages == ["the operation is 26 levels deep, at most 25 are allowed"]


def test_depth_counts_through_fragments() -> None:
    query = "fragment F on App {functions {app {functions {app {id}}}}} " + nested(22).replace("id", "...F")
    assert ask(query).messages == ["the operation is 26 levels deep, at most 25 are allowed"]


def test_fragments_that_spread_each_other_are_refused_cheaply() -> None:
    cycle = "fragment A on App {...B} fragment B on App {...A} {apps {...A}}"
    assert ask(cycle).messages == ["Cannot spread fragment 'A' within itself via 'B'."]
    doubled = " ".join(f"fragment F{n} on App {{...F{n + 1} ...F{n + 1}}}" for n in range(60))
    assert ask(f"{doubled} fragment F60 on App {{id}} {{apps {{...F0}}}}").data == {"apps": []}


def test_the_size_of_documents_is_limited() -> None:
    assert ask(f"{{{'a: __typename ' * 1001}}}").messages == ["the document has more than 1000 fields"]
    assert ask(f"{{__typename {'#' * 100_001}}}").status == 422
    assert ask(f"{{{'__typename @skip(if: true) ' * 1100}}}").status == 422


def test_lists_within_lists_stop_at_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app()
    for number in range(5):
        make_function(app, f"f{number}")
    monkeypatch.setattr(limits, "MAX_RESOLVED_FIELDS", 50)
    reply = ask(nested(8))
    assert (reply.status, reply.body["data"]) == (200, None)
    assert reply.messages == ["the request resolves more than 50 fields"]


def test_an_unforeseen_failure_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the secret")

    monkeypatch.setattr("apps.registry.selectors.functions_qs", fail)
    reply = ask("{functions {id}}")
    assert (reply.status, reply.body["data"]) == (200, {"functions": None})
    assert reply.messages == ["internal server error"]
    assert "the secret" in caplog.text
