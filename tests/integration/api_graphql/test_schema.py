"""Every type that is implemented is the published one: names, nullability, arguments, defaults."""

from pathlib import Path

import pytest
from django.conf import settings
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
)

from apps.api.graphql.schema import schema

COPY = Path(__file__).parent / "published_schema.graphql"
ORIGINAL = Path(settings.BASE_DIR).parent / "shared" / "spec" / "graphql-schema.graphql"
SOURCES = [path for path in (COPY, ORIGINAL) if path.exists()]

# What later issues add: queries with their types, debugging, connect workers, the legacy history.
MISSING_FIELDS = {
    "Query": {
        "stream",
        "functionRun",
        "debugRun",
        "debugSession",
        "workerConnections",
        "workerConnection",
    },
    "Mutation": {"createDebugSession"},
    "FunctionRun": {"history", "historyItemOutput"},
}

OURS = schema.graphql_schema
OWN_TYPES = sorted(
    name
    for name, type_ in OURS.type_map.items()
    if not is_introspection_type(type_) and not is_specified_scalar_type(type_)
)


@pytest.fixture(scope="module", params=SOURCES, ids=lambda path: path.name)
def published(request: pytest.FixtureRequest) -> GraphQLSchema:
    return build_schema(request.param.read_text())


def members(schema_: GraphQLSchema, name: str) -> dict[str, object]:
    """Everything a client can see of a type, in a form that compares."""
    type_ = schema_.type_map[name]
    if isinstance(type_, GraphQLObjectType):
        return {field: _field(definition) for field, definition in type_.fields.items()}
    if isinstance(type_, GraphQLInputObjectType):
        return {field: _input(definition) for field, definition in type_.fields.items()}
    if isinstance(type_, GraphQLEnumType):
        return dict.fromkeys(type_.values)
    if isinstance(type_, GraphQLUnionType):
        return {member.name: None for member in type_.types}
    return {}


def _field(definition: GraphQLField) -> object:
    arguments = {name: (str(arg.type), arg.default_value) for name, arg in definition.args.items()}
    return (str(definition.type), arguments, definition.deprecation_reason)


def _input(definition: GraphQLInputField) -> object:
    return (str(definition.type), definition.default_value)


@pytest.mark.parametrize("name", OWN_TYPES)
def test_type_is_the_published_one(published: GraphQLSchema, name: str) -> None:
    assert name in published.type_map
    expected = members(published, name)
    for field in MISSING_FIELDS.get(name, ()):
        del expected[field]
    assert members(OURS, name) == expected
    assert _kind(OURS, name) == _kind(published, name)


def _kind(schema_: GraphQLSchema, name: str) -> str:
    return type(schema_.type_map[name]).__name__.removeprefix("Graphene").removeprefix("GraphQL")


def test_the_published_schema_is_at_hand() -> None:
    assert COPY in SOURCES
    assert len(OWN_TYPES) > 60
