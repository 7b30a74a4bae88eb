"""Queries for apps and functions (spec 03, 6.3 and 6.10)."""

import uuid
from typing import Any

import graphene
from graphql import GraphQLResolveInfo

from apps.api.graphql.context import context_of
from apps.api.graphql.errors import not_found
from apps.api.graphql.inputs import AppsFilterV1, FunctionQuery
from apps.api.graphql.scalars import UUID
from apps.api.graphql.types.registry import App, Function
from apps.api.graphql.types.wrappers import items_of, list_of
from apps.registry import models, selectors


class RegistryQueries(graphene.ObjectType):
    apps = graphene.Field(list_of(App), criteria=AppsFilterV1(name="filter"))
    app = graphene.Field(App, app_id=UUID(required=True, name="id"))
    function_by_slug = graphene.Field(Function, query=FunctionQuery(required=True))
    functions = graphene.Field(items_of(Function))

    @staticmethod
    def resolve_apps(
        root: None, info: GraphQLResolveInfo, criteria: dict[str, Any] | None = None
    ) -> list[models.App]:
        context = context_of(info)
        rows = selectors.apps_qs(context.environment_id)
        method = (criteria or {}).get("method")
        if method is not None:
            rows = rows.filter(method=method.value.lower())
        apps = list(rows)
        context.saw_apps(apps)
        return apps

    @staticmethod
    def resolve_app(root: None, info: GraphQLResolveInfo, app_id: uuid.UUID) -> models.App:
        app = context_of(info).apps.get(app_id)
        if app is None or app.archived_at is not None:
            raise not_found()
        return app

    @staticmethod
    def resolve_function_by_slug(
        root: None, info: GraphQLResolveInfo, query: dict[str, Any]
    ) -> models.Function:
        context = context_of(info)
        function = selectors.function_by_slug(context.environment_id, query["function_slug"])
        if function is None:
            raise not_found()
        context.saw_functions([function])
        return function

    @staticmethod
    def resolve_functions(root: None, info: GraphQLResolveInfo) -> list[models.Function]:
        context = context_of(info)
        functions = list(selectors.functions_qs(context.environment_id))
        context.saw_functions(functions)
        return functions
