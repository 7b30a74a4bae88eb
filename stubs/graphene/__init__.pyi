"""The part of graphene that Stepwell uses; the library itself ships no types."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, TypeAlias

from graphql import GraphQLResolveInfo, GraphQLSchema

_Class: TypeAlias = type[ObjectType] | type[InputObjectType] | type[Scalar] | type[Union] | type[Enum]
_Type: TypeAlias = _Class | Structure | str
TypeRef = _Type | Callable[[], _Type]

class Structure:
    def __init__(
        self,
        of_type: TypeRef,
        *,
        name: str | None = None,
        description: str | None = None,
        default_value: object = ...,
        required: bool = False,
        deprecation_reason: str | None = None,
        **arguments: object,
    ) -> None: ...

class NonNull(Structure): ...
class List(Structure): ...

class Field:
    def __init__(
        self,
        type_: TypeRef,
        args: dict[str, Argument] | None = None,
        *,
        resolver: Callable[..., object] | None = None,
        name: str | None = None,
        description: str | None = None,
        required: bool = False,
        deprecation_reason: str | None = None,
        **arguments: object,
    ) -> None: ...

class Argument:
    def __init__(
        self,
        type_: TypeRef,
        *,
        name: str | None = None,
        description: str | None = None,
        default_value: object = ...,
        required: bool = False,
    ) -> None: ...

class InputField:
    def __init__(
        self,
        type_: TypeRef,
        *,
        name: str | None = None,
        description: str | None = None,
        default_value: object = ...,
        required: bool = False,
    ) -> None: ...

class ObjectType: ...

class InputObjectType:
    def __init__(
        self, *, name: str | None = None, description: str | None = None, required: bool = False
    ) -> None: ...
    def __getitem__(self, key: str) -> Any: ...
    def get(self, key: str, default: object = ...) -> Any: ...

class Union:
    @classmethod
    def resolve_type(cls, instance: object, info: GraphQLResolveInfo) -> type[ObjectType]: ...

class Enum:
    def __new__(cls, name: str, values: Iterable[tuple[str, object]], **options: object) -> type[Enum]: ...  # type: ignore[misc]

class Scalar:
    def __init__(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        default_value: object = ...,
        required: bool = False,
        deprecation_reason: str | None = None,
        **arguments: object,
    ) -> None: ...
    serialize: ClassVar[Callable[..., object]]
    parse_value: ClassVar[Callable[..., object]]
    parse_literal: ClassVar[Callable[..., object]]

class String(Scalar): ...
class Int(Scalar): ...
class Float(Scalar): ...
class Boolean(Scalar): ...
class ID(Scalar): ...

class Schema:
    graphql_schema: GraphQLSchema
    def __init__(
        self,
        query: type[ObjectType] | None = None,
        mutation: type[ObjectType] | None = None,
        types: Sequence[type[ObjectType]] | None = None,
        auto_camelcase: bool = True,
    ) -> None: ...
