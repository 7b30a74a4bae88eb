"""Runs one GraphQL request: parse, validate, execute (spec 03, 6.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLFormattedError,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from apps.api.graphql import limits
from apps.api.graphql.access import Authority, mutation_refusal
from apps.api.graphql.context import RequestContext
from apps.api.graphql.errors import formatted
from apps.api.graphql.root_fields import mutation_fields
from apps.api.graphql.schema import schema
from apps.credentials.caller import Refused

PARSE_FAILED: Final = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED: Final = "GRAPHQL_VALIDATION_FAILED"


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """`reads_only`: refuse mutations (the request came by GET)."""

    query: str
    variables: Mapping[str, object] | None = None
    operation_name: str | None = None
    reads_only: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Mapping[str, object]


def run_request(request: GraphQLRequest, context: RequestContext, authority: Authority) -> Answer:
    """200 with data and the errors of resolvers; 422 when the document is not executed at all, and the
    refusal's status where the authority does not suffice for it."""
    try:
        document = _parsed(request.query)
    except GraphQLError as error:
        return _refused(PARSE_FAILED, [error])
    errors = _validation_errors(document, request)
    if errors:
        return _refused(VALIDATION_FAILED, errors)
    refused = mutation_refusal(authority, mutation_fields(document, request.operation_name))
    return unauthorised(refused) if refused else _executed(document, request, context)


def unauthorised(refused: Refused) -> Answer:
    error = {"message": refused.message, "extensions": {"code": refused.code}}
    return Answer(refused.status, {"errors": [error], "data": None})


def refusal(status: int, message: str) -> Answer:
    """Answer to a request that holds no document."""
    return Answer(status, {"errors": [{"message": message}], "data": None})


def _parsed(query: str) -> DocumentNode:
    document = parse(
        query,
        max_lexical_tokens=limits.MAX_TOKENS,
        max_source_length=limits.MAX_DOCUMENT_CHARACTERS,
    )
    limits.check_field_count(document)
    return document


def _validation_errors(document: DocumentNode, request: GraphQLRequest) -> Sequence[GraphQLError]:
    errors = validate(schema.graphql_schema, document)
    if errors:
        return errors
    try:
        limits.check_depth(document)
        _check_operation(document, request)
    except GraphQLError as error:
        return [error]
    return []


def _check_operation(document: DocumentNode, request: GraphQLRequest) -> None:
    operation = get_operation_ast(document, request.operation_name)
    if operation is None:
        raise GraphQLError("operationName must name one of the operations in the document")
    if request.reads_only and operation.operation is not OperationType.QUERY:
        raise GraphQLError("GET requests only allow query operations")


def _executed(document: DocumentNode, request: GraphQLRequest, context: RequestContext) -> Answer:
    result = execute_sync(
        schema.graphql_schema,
        document,
        context_value=context,
        variable_values=dict(request.variables or {}),
        operation_name=request.operation_name,
        execution_context_class=limits.BudgetedExecution,
    )
    errors = result.errors or []
    if any(error.path is None for error in errors):  # the variables do not fit, nothing was executed
        return _refused(VALIDATION_FAILED, errors)
    body: dict[str, object] = {"data": result.data}
    if errors:
        body["errors"] = [formatted(error) for error in errors]
    return Answer(200, body)


def _refused(code: str, errors: Sequence[GraphQLError]) -> Answer:
    return Answer(422, {"errors": [_with_code(formatted(error), code) for error in errors], "data": None})


def _with_code(error: GraphQLFormattedError, code: str) -> GraphQLFormattedError:
    return {**error, "extensions": {"code": code}}
