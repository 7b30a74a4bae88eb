"""Every URL that the server answers, walked from its URL patterns."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.urls import URLPattern, URLResolver, get_resolver

from apps.tenancy.permissions import Permission

T = TypeVar("T")


@dataclass(frozen=True)
class Endpoint:
    route: str
    name: str  # with its namespaces; empty where it has none
    callback: Callable[..., Any]

    @property
    def permissions(self) -> tuple[Permission, Permission | None] | None:
        """What `@requires` has left on the view; None where the view is not guarded so."""
        return getattr(self.callback, "permissions", None)


def endpoints(urlconf: str = "config.urls") -> list[Endpoint]:
    return list(_walk(get_resolver(urlconf).url_patterns, "", ""))


def _walk(patterns: list[URLPattern | URLResolver], prefix: str, namespace: str) -> Iterator[Endpoint]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, route, inner)
        else:
            yield Endpoint(route, f"{namespace}{pattern.name}" if pattern.name else "", pattern.callback)


def missing(found: set[str], declared: set[str], advice: str) -> str:
    """The text of a failure: what has no case, and what to do; empty where nothing is missing."""
    lines = [f"{name} has no isolation case. {advice}" for name in sorted(found - declared)]
    lines += [f"{name} has a case, and does not exist: remove it." for name in sorted(declared - found)]
    return "\n".join(lines)


def groups(cases: Iterable[T], size: int = 12) -> list[list[T]]:
    """Cases that share one cast, since making it takes longer than a trial."""
    every = list(cases)
    return [every[start : start + size] for start in range(0, len(every), size)]
