"""Apps and functions, many at a time."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from apps.engine.functions import FunctionSpec, decode_spec
from apps.registry.models import App, Function
from apps.registry.selectors import functions_qs


@dataclass(frozen=True, slots=True)
class Definition:
    """A function's configuration: JSON text as the SDK registered it, and as the engine reads it."""

    registered: str
    spec: FunctionSpec


def apps_by_id(environment_id: uuid.UUID, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, App]:
    """Archived ones too: history goes on naming them."""
    return App.objects.filter(environment_id=environment_id).in_bulk(list(ids))


def functions_by_app(
    environment_id: uuid.UUID, app_ids: Collection[uuid.UUID]
) -> Mapping[uuid.UUID, list[Function]]:
    """The active functions of each app; an app without any has an empty list."""
    by_app: dict[uuid.UUID, list[Function]] = {app_id: [] for app_id in app_ids}
    for function in functions_qs(environment_id).filter(app_id__in=app_ids):
        by_app[function.app_id].append(function)
    return by_app


def functions_by_slug(
    environment_id: uuid.UUID, keys: Collection[tuple[uuid.UUID, str]]
) -> Mapping[tuple[uuid.UUID, str], Function]:
    """Active functions by (app id, slug)."""
    slugs_of_app: defaultdict[uuid.UUID, set[str]] = defaultdict(set)
    for app_id, slug in keys:
        slugs_of_app[app_id].add(slug)
    slugs = {slug for _, slug in keys}
    found = functions_qs(environment_id).filter(app_id__in=slugs_of_app, slug__in=slugs)
    return {(function.app_id, function.slug): function for function in found}


def definitions(environment_id: uuid.UUID, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Definition]:
    rows = Function.objects.filter(environment_id=environment_id, id__in=ids).values_list(
        "id", "config", "spec"
    )
    return {id_: Definition(registered, decode_spec(spec.encode())) for id_, registered, spec in rows}
