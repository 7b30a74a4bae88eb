"""Shorthands for types that may not be null."""

from __future__ import annotations

import graphene


def list_of(type_: graphene.TypeRef) -> graphene.NonNull:
    """`[T!]!`; `type_` is a type or a function that returns it."""
    return graphene.NonNull(graphene.List(graphene.NonNull(type_)))


def items_of(type_: graphene.TypeRef) -> graphene.List:
    """`[T!]`"""
    return graphene.List(graphene.NonNull(type_))
