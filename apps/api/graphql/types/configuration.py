"""Flow control settings of a function; resolved from `apps.api.graphql.configuration`."""

import graphene

from apps.api.graphql.enums import ConcurrencyScope, SingletonMode
from apps.api.graphql.types.wrappers import list_of


class CancellationConfiguration(graphene.ObjectType):
    """Event that cancels runs."""

    event = graphene.String(required=True)
    timeout = graphene.String()
    condition = graphene.String()


class RetryConfiguration(graphene.ObjectType):
    """Retry count."""

    value = graphene.Int(required=True)
    is_default = graphene.Boolean()


class EventsBatchConfiguration(graphene.ObjectType):
    """Event batching settings."""

    max_size = graphene.Int(required=True)
    timeout = graphene.String(required=True)
    key = graphene.String()


class ConcurrencyLimitConfiguration(graphene.ObjectType):
    """Value of a concurrency limit."""

    value = graphene.Int(required=True)
    is_plan_limit = graphene.Boolean()


class ConcurrencyConfiguration(graphene.ObjectType):
    """One concurrency limit."""

    scope = graphene.Field(ConcurrencyScope, required=True)
    limit = graphene.Field(ConcurrencyLimitConfiguration, required=True)
    key = graphene.String()


class RateLimitConfiguration(graphene.ObjectType):
    """Rate limit settings."""

    limit = graphene.Int(required=True)
    period = graphene.String(required=True)
    key = graphene.String()


class DebounceConfiguration(graphene.ObjectType):
    """Debounce settings."""

    period = graphene.String(required=True)
    key = graphene.String()


class ThrottleConfiguration(graphene.ObjectType):
    """Throttle settings."""

    burst = graphene.Int(required=True)
    key = graphene.String()
    limit = graphene.Int(required=True)
    period = graphene.String(required=True)


class SingletonConfiguration(graphene.ObjectType):
    """Singleton settings."""

    mode = graphene.Field(SingletonMode, required=True)
    key = graphene.String()


class FunctionConfiguration(graphene.ObjectType):
    """Flow control settings of a function."""

    cancellations = graphene.Field(list_of(CancellationConfiguration))
    retries = graphene.Field(RetryConfiguration, required=True)
    priority = graphene.String()
    events_batch = graphene.Field(EventsBatchConfiguration)
    concurrency = graphene.Field(list_of(ConcurrencyConfiguration))
    rate_limit = graphene.Field(RateLimitConfiguration)
    debounce = graphene.Field(DebounceConfiguration)
    throttle = graphene.Field(ThrottleConfiguration)
    singleton = graphene.Field(SingletonConfiguration)
