"""Names of the functions and apps that history rows only know by their ids."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from apps.registry import selectors
from apps.registry.models import App, Function


@dataclass(frozen=True, slots=True)
class Names:
    functions: dict[UUID, Function]
    apps: dict[UUID, str]

    def function(self, function_id: UUID) -> str:
        """The name, or the id of a function that is not known any more."""
        known = self.functions.get(function_id)
        return known.name if known else str(function_id)

    def slug(self, function_id: UUID) -> str:
        known = self.functions.get(function_id)
        return known.slug if known else ""

    def app(self, app_id: UUID) -> str:
        return self.apps.get(app_id, "")


def names_of(environment_id: UUID, function_ids: Iterable[UUID], app_ids: Iterable[UUID] = ()) -> Names:
    """One query for the functions, one for the apps where any are asked for."""
    wanted = set(app_ids)
    rows = App.objects.filter(environment_id=environment_id, id__in=wanted).values_list("id", "name")
    return Names(
        functions=selectors.functions_by_id(environment_id, set(function_ids)),
        apps=dict(rows) if wanted else {},
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """`value` is what a filter's URL carries."""

    value: str
    label: str


def function_choices(environment_id: UUID) -> list[Choice]:
    rows = Function.objects.filter(environment_id=environment_id, archived_at__isnull=True)
    return [Choice(slug, name) for slug, name in rows.order_by("name", "slug").values_list("slug", "name")]


def app_choices(environment_id: UUID) -> list[Choice]:
    rows = App.objects.filter(environment_id=environment_id, archived_at__isnull=True).exclude(name="")
    return [Choice(name, name) for name in rows.order_by("name").values_list("name", flat=True)]
