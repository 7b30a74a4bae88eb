"""Filters of keys in forms: one entry a line."""

from django.http import HttpRequest

from apps.credentials.models import FilterMode


def mode_of(request: HttpRequest) -> FilterMode:
    return FilterMode.ALLOW if request.POST.get("mode") == FilterMode.ALLOW else FilterMode.DENY


def lines_of(request: HttpRequest, name: str) -> list[str]:
    return request.POST.get(name, "").splitlines()
