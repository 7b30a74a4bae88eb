"""The schema's scalars and their JSON forms (spec 03, 6.2)."""

import uuid
from collections.abc import Mapping
from datetime import datetime

import graphene
from graphql import GraphQLError, StringValueNode, ValueNode, print_ast, value_from_ast_untyped

from apps.api.graphql.times import format_time, parse_time
from apps.engine.protocol.ids import is_ulid

_UUID_LENGTH = 36


def parse_ulid(value: object) -> str:
    """The id in upper case. Raises GraphQLError."""
    if not isinstance(value, str) or not is_ulid(value):
        raise GraphQLError(f"{value!r} is not a ULID")
    return value.upper()


def parse_uuid(value: object) -> uuid.UUID:
    if not isinstance(value, str):
        raise GraphQLError("UUID must be a string")
    if len(value) != _UUID_LENGTH:
        raise GraphQLError(f"invalid UUID length: {len(value)}")
    try:
        return uuid.UUID(value)
    except ValueError as error:
        raise GraphQLError("invalid UUID format") from error


def _parse_timestamp(value: object) -> datetime:
    if not isinstance(value, str):
        raise GraphQLError("Time must be an RFC 3339 string")
    try:
        return parse_time(value)
    except ValueError as error:
        raise GraphQLError(str(error)) from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise GraphQLError("Bytes must be a string")
    return value


def _string_literal(node: ValueNode) -> str:
    if not isinstance(node, StringValueNode):
        raise GraphQLError(f"expected a string, found {print_ast(node)}", node)
    return node.value


class Time(graphene.Scalar):
    """RFC 3339 timestamp with optional fractional seconds."""

    @staticmethod
    def serialize(value: object) -> str:
        if not isinstance(value, datetime | int):
            raise GraphQLError(f"Time cannot represent {value!r}")
        return format_time(value)

    parse_value = staticmethod(_parse_timestamp)

    @staticmethod
    def parse_literal(node: ValueNode, variables: object = None) -> datetime:
        return _parse_timestamp(_string_literal(node))


class ULID(graphene.Scalar):
    """26-character Crockford base32 identifier."""

    @staticmethod
    def serialize(value: object) -> str:
        return str(value).upper()

    parse_value = staticmethod(parse_ulid)

    @staticmethod
    def parse_literal(node: ValueNode, variables: object = None) -> str:
        return parse_ulid(_string_literal(node))


class UUID(graphene.Scalar):
    """RFC 4122 identifier in lower-case hex."""

    @staticmethod
    def serialize(value: object) -> str:
        return str(value)

    parse_value = staticmethod(parse_uuid)

    @staticmethod
    def parse_literal(node: ValueNode, variables: object = None) -> uuid.UUID:
        return parse_uuid(_string_literal(node))


class Bytes(graphene.Scalar):
    """Byte string carried as a plain (usually JSON) text value."""

    @staticmethod
    def serialize(value: object) -> str:
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    parse_value = staticmethod(_text)

    @staticmethod
    def parse_literal(node: ValueNode, variables: object = None) -> str:
        return _string_literal(node)


def _same(value: object) -> object:
    return value


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise GraphQLError("Map must be a JSON object")
    return value


class Map(graphene.Scalar):
    """Free-form JSON object."""

    serialize = staticmethod(_same)
    parse_value = staticmethod(_object)

    @staticmethod
    def parse_literal(node: ValueNode, variables: dict[str, object] | None = None) -> Mapping[str, object]:
        return _object(value_from_ast_untyped(node, variables))


class Unknown(graphene.Scalar):
    """Any JSON value."""

    serialize = staticmethod(_same)
    parse_value = staticmethod(_same)
    parse_literal = staticmethod(value_from_ast_untyped)


class _Word(graphene.Scalar):
    """A short text that only answers carry."""

    class Meta:
        abstract = True

    serialize = staticmethod(str)
    parse_value = staticmethod(_text)

    @staticmethod
    def parse_literal(node: ValueNode, variables: object = None) -> str:
        return _string_literal(node)


class SpanMetadataKind(_Word):
    """Metadata kind, a short dotted string."""


class SpanMetadataScope(_Word):
    """Metadata scope: run, step, step_attempt, request or extended_trace."""


class SpanMetadataValues(graphene.Scalar):
    """JSON object of metadata values."""

    serialize = staticmethod(_same)
    parse_value = staticmethod(_object)
    parse_literal = Map.parse_literal


class HTTPHeaders(graphene.Scalar):
    """JSON object from header name to list of values."""

    serialize = staticmethod(_same)
    parse_value = staticmethod(_object)
    parse_literal = Map.parse_literal
