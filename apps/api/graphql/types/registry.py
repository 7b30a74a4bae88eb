"""Apps and functions (spec 03, 6.10)."""

import graphene
from graphql import GraphQLError, GraphQLResolveInfo

from apps.api.graphql.configuration import Configuration, configuration, stored_config
from apps.api.graphql.context import context_of, failure_key
from apps.api.graphql.enums import AppMethod, FunctionTriggerTypes
from apps.api.graphql.reads.registry import Definition
from apps.api.graphql.types.configuration import FunctionConfiguration
from apps.api.graphql.types.wrappers import items_of, list_of
from apps.engine.functions import Trigger
from apps.registry import models


class SDKFeatureStatus(graphene.ObjectType):
    """Readiness of one SDK feature."""

    ready = graphene.Boolean(required=True)
    reason = graphene.Int()


class SDKFeatureReadiness(graphene.ObjectType):
    """Which optional SDK features the app can use; null where the SDK did not report it."""

    ai_metadata_extraction = graphene.Field(SDKFeatureStatus)
    extended_traces = graphene.Field(SDKFeatureStatus)


class App(graphene.ObjectType):
    """A registered application."""

    id = graphene.ID(required=True)
    external_id = graphene.String(required=True, name="externalID")
    name = graphene.String(required=True)
    sdk_language = graphene.String(required=True)
    sdk_version = graphene.String(required=True)
    framework = graphene.String()
    url = graphene.String()
    checksum = graphene.String()
    error = graphene.String()
    functions = graphene.Field(list_of(lambda: Function))
    method = graphene.Field(AppMethod, required=True)
    app_version = graphene.String()
    sdk_feature_readiness = graphene.Field(SDKFeatureReadiness, required=True)
    connected = graphene.Boolean(required=True)
    function_count = graphene.Int(required=True)
    autodiscovered = graphene.Boolean(required=True)

    @staticmethod
    def resolve_external_id(app: models.App, info: GraphQLResolveInfo) -> str:
        return app.name

    @staticmethod
    def resolve_framework(app: models.App, info: GraphQLResolveInfo) -> str | None:
        return app.framework or None

    @staticmethod
    def resolve_url(app: models.App, info: GraphQLResolveInfo) -> str | None:
        return app.url or None

    @staticmethod
    def resolve_error(app: models.App, info: GraphQLResolveInfo) -> str | None:
        return app.error or None

    @staticmethod
    def resolve_functions(app: models.App, info: GraphQLResolveInfo) -> list[models.Function]:
        return context_of(info).app_functions.get(app.id) or []

    @staticmethod
    def resolve_method(app: models.App, info: GraphQLResolveInfo) -> str:
        return app.method.upper()

    @staticmethod
    def resolve_sdk_feature_readiness(app: models.App, info: GraphQLResolveInfo) -> dict[str, None]:
        return {}

    @staticmethod
    def resolve_connected(app: models.App, info: GraphQLResolveInfo) -> bool:
        return not app.error

    @staticmethod
    def resolve_function_count(app: models.App, info: GraphQLResolveInfo) -> int:
        return len(context_of(info).app_functions.get(app.id) or [])


class FunctionTrigger(graphene.ObjectType):
    """One trigger of a function."""

    type = graphene.Field(FunctionTriggerTypes, required=True)
    value = graphene.String(required=True)
    condition = graphene.String()

    @staticmethod
    def resolve_type(trigger: Trigger, info: GraphQLResolveInfo) -> str:
        return "CRON" if trigger.cron else "EVENT"

    @staticmethod
    def resolve_value(trigger: Trigger, info: GraphQLResolveInfo) -> str:
        return trigger.cron or trigger.event

    @staticmethod
    def resolve_condition(trigger: Trigger, info: GraphQLResolveInfo) -> str | None:
        return trigger.expression or None


class Function(graphene.ObjectType):
    """A registered function."""

    id = graphene.String(required=True)
    name = graphene.String(required=True)
    slug = graphene.String(required=True)
    failure_handler = graphene.Field(lambda: Function)
    config = graphene.String(required=True)
    configuration = graphene.Field(FunctionConfiguration, required=True)
    concurrency = graphene.Int(required=True)
    triggers = graphene.Field(items_of(FunctionTrigger))
    url = graphene.String(required=True)
    app_id = graphene.String(required=True, name="appID")
    app = graphene.Field(App, required=True)

    @staticmethod
    def resolve_failure_handler(
        function: models.Function, info: GraphQLResolveInfo
    ) -> models.Function | None:
        return context_of(info).failure_handlers.get(failure_key(function))

    @staticmethod
    def resolve_config(function: models.Function, info: GraphQLResolveInfo) -> str:
        return stored_config(str(function.id), function.version, _definition(function, info))

    @staticmethod
    def resolve_configuration(function: models.Function, info: GraphQLResolveInfo) -> Configuration:
        return configuration(_definition(function, info))

    @staticmethod
    def resolve_concurrency(function: models.Function, info: GraphQLResolveInfo) -> int:
        first = configuration(_definition(function, info)).concurrency[0].limit
        return 0 if first.is_plan_limit else first.value

    @staticmethod
    def resolve_triggers(function: models.Function, info: GraphQLResolveInfo) -> tuple[Trigger, ...]:
        return _definition(function, info).spec.triggers

    @staticmethod
    def resolve_app(function: models.Function, info: GraphQLResolveInfo) -> models.App:
        app = context_of(info).apps.get(function.app_id)
        if app is None:
            raise GraphQLError(f"app not found: {function.app_id}")
        return app


def _definition(function: models.Function, info: GraphQLResolveInfo) -> Definition:
    definition = context_of(info).definitions.get(function.id)
    if definition is None:
        raise GraphQLError(f"function not found: {function.id}")
    return definition
