"""Filters of the console's lists."""

from typing import Any
from uuid import UUID

from django.contrib.admin import (
    ChoicesFieldListFilter,
    DateFieldListFilter,
    FieldListFilter,
    ModelAdmin,
    SimpleListFilter,
)
from django.db.models import Model, QuerySet
from django.http import HttpRequest

Choices = list[tuple[str, str]]


FieldFilter = tuple[str, type[FieldListFilter]]


def by_choice(field: str, title: str) -> FieldFilter:
    return _titled(field, title, ChoicesFieldListFilter)


def by_date(field: str, title: str) -> FieldFilter:
    return _titled(field, title, DateFieldListFilter)


def _titled(field: str, title: str, kind: type[FieldListFilter]) -> FieldFilter:
    class Titled(kind):  # type: ignore[misc, valid-type]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.title = title

    return field, Titled


class Chosen(SimpleListFilter):
    """What a link has chosen, such as one organisation: there are too many to list them all."""

    is_chosen = True
    model: type[Model]
    field: str

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        value = self.value()
        if not value:
            return []
        found = self.model._default_manager.filter(pk=key).first() if (key := uuid_in(value)) else None
        return [(value, str(found) if found else "which is not there")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        key = uuid_in(self.value() or "")
        return queryset.filter(**{self.field: key}) if key else queryset.none()


def uuid_in(text: str) -> UUID | None:
    """The id that the text is, if it is one."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def chosen(title: str, model: type[Model], field: str, parameter: str = "") -> type[SimpleListFilter]:
    """By what `field` leads to; the parameter of the address is called as the field, unless told."""
    name = parameter or field
    values = {"title": title, "parameter_name": name, "model": model, "field": field}
    return type(f"Chosen{model.__name__}", (Chosen,), values)


class _TwoWays(SimpleListFilter):
    """`first` and `second` are labels; a subclass says which rows are of the first kind."""

    field: str
    first: str
    second: str

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [("first", self.first), ("second", self.second)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "first":
                return queryset.filter(**self.of_first())
            case "second":
                return queryset.exclude(**self.of_first())
        return queryset

    def of_first(self) -> dict[str, object]:
        raise NotImplementedError


class _End(_TwoWays):
    def of_first(self) -> dict[str, object]:
        return {f"{self.field}__isnull": True}


class _Flag(_TwoWays):
    def of_first(self) -> dict[str, object]:
        return {self.field: True}


class _Content(_TwoWays):
    nothing: object

    def of_first(self) -> dict[str, object]:
        return {self.field: self.nothing}


def by_end(field: str, title: str, live: str, over: str) -> type[SimpleListFilter]:
    """By whether a time is set: that of the end of something, say."""
    return _two_ways(_End, field, title, live, over)


def by_flag(field: str, title: str, yes: str, no: str) -> type[SimpleListFilter]:
    return _two_ways(_Flag, field, title, yes, no)


def by_content(
    field: str, title: str, empty: str, filled: str, *, nothing: object = ""
) -> type[SimpleListFilter]:
    """By whether a text (or, with `nothing`, an object) is empty."""
    return _two_ways(_Content, field, title, empty, filled, nothing=nothing)


def _two_ways(
    kind: type[_TwoWays], field: str, title: str, first: str, second: str, **more: object
) -> type[SimpleListFilter]:
    values = {"title": title, "parameter_name": f"by_{field}", "field": field}
    return type(f"By{field}", (kind,), values | {"first": first, "second": second} | more)
