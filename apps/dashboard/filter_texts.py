"""Filters of keys in forms: one entry a line."""

from collections.abc import Mapping
from typing import Final, TypedDict

from django.http import HttpRequest

from apps.credentials.models import FilterMode
from apps.tenancy.exceptions import TenancyError

_LISTS: Final = ("events", "ips")


def mode_of(request: HttpRequest) -> FilterMode:
    return FilterMode.ALLOW if request.POST.get("mode") == FilterMode.ALLOW else FilterMode.DENY


def lines_of(request: HttpRequest, name: str) -> list[str]:
    return request.POST.get(name, "").splitlines()


class TypedFilter(TypedDict):
    """What was sent, for the form that shows it again."""

    mode: str
    events: str
    ips: str


def typed_filter(request: HttpRequest) -> TypedFilter:
    events, ips = (request.POST.get(name, "") for name in _LISTS)
    return TypedFilter(mode=str(mode_of(request)), events=events, ips=ips)


def refused_filter(request: HttpRequest, refused: TenancyError) -> Mapping[str, str]:
    """For the template: the reason, and the list that has the entry which it names."""
    text = str(refused)
    named = [name for name in _LISTS if any(_names(text, line) for line in lines_of(request, name))]
    return {"filter_error": text, "filter_error_at": named[0] if named else _LISTS[0]}


def _names(text: str, line: str) -> bool:
    entry = line.strip()
    return bool(entry) and repr(entry[:40])[:-1] in text
