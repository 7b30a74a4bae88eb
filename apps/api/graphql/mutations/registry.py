"""Adding, moving and removing apps."""

from collections.abc import Callable
from typing import Any, TypeVar

import graphene
from graphql import GraphQLError, GraphQLResolveInfo

from apps.api.graphql.context import RequestContext, context_of
from apps.api.graphql.errors import not_found
from apps.api.graphql.inputs import CreateAppInput, UpdateAppInput
from apps.api.graphql.scalars import parse_uuid
from apps.api.graphql.types.registry import App
from apps.audit.changes import Target
from apps.registry import models, selectors
from apps.registry.app_urls import AppUrlError
from apps.registry.services import apps as app_services

T = TypeVar("T")


class RegistryMutations(graphene.ObjectType):
    create_app = graphene.Field(App, required=True, app=CreateAppInput(required=True, name="input"))
    update_app = graphene.Field(App, required=True, change=UpdateAppInput(required=True, name="input"))
    delete_app = graphene.String(required=True, app_id=graphene.String(required=True, name="id"))
    delete_app_by_name = graphene.Boolean(required=True, app_name=graphene.String(required=True, name="name"))

    @staticmethod
    def resolve_create_app(root: None, info: GraphQLResolveInfo, app: dict[str, Any]) -> models.App:
        context = context_of(info)
        created = _with_url(lambda: app_services.app_create(context.environment_id, app["url"]))
        _audit(context, "app.sync", created)
        context.saw_apps([created])
        return created

    @staticmethod
    def resolve_update_app(root: None, info: GraphQLResolveInfo, change: dict[str, Any]) -> models.App:
        context, app_id = context_of(info), parse_uuid(change["id"])
        app = _with_url(lambda: app_services.app_update(context.environment_id, app_id, change["url"]))
        if app is None:
            raise not_found()
        _audit(context, "app.sync", app)
        context.saw_apps([app])
        return app

    @staticmethod
    def resolve_delete_app(root: None, info: GraphQLResolveInfo, app_id: str) -> str:
        """Answers with the id it was given, also where there is no such app."""
        context = context_of(info)
        _delete(context, selectors.app_by_id(context.environment_id, parse_uuid(app_id)))
        return app_id

    @staticmethod
    def resolve_delete_app_by_name(root: None, info: GraphQLResolveInfo, app_name: str) -> bool:
        context = context_of(info)
        _delete(context, selectors.app_by_name(context.environment_id, app_name))
        return True


def _delete(context: RequestContext, app: models.App | None) -> None:
    if app is not None and app_services.app_delete(context.environment_id, app.id):
        _audit(context, "app.archive", app)


def _audit(context: RequestContext, action: str, app: models.App) -> None:
    context.audit(action, Target("app", str(app.id), str(app)), {"url": app.url})


def _with_url(action: Callable[[], T]) -> T:
    try:
        return action()
    except AppUrlError as error:
        raise GraphQLError(str(error)) from error
