"""Input types. `workspaceId` is accepted and ignored: the request itself names the environment."""

import graphene

from apps.api.graphql.enums import AppMethod, FunctionRunStatus, RunsOrderByDirection, RunsV2OrderByField
from apps.api.graphql.scalars import UUID, Bytes, Time
from apps.api.graphql.types.wrappers import items_of

WORKSPACE = "local"


class AppsFilterV1(graphene.InputObjectType):
    """Filter of apps."""

    method = graphene.InputField(AppMethod)


class EventQuery(graphene.InputObjectType):
    """Selects one event."""

    workspace_id = graphene.ID(required=True, default_value=WORKSPACE)
    event_id = graphene.ID(required=True)


class EventsQuery(graphene.InputObjectType):
    """Selects recent events."""

    workspace_id = graphene.ID(required=True, default_value=WORKSPACE)
    last_event_id = graphene.ID()


class FunctionQuery(graphene.InputObjectType):
    """Selects one function by slug."""

    workspace_id = graphene.ID(required=True, default_value=WORKSPACE)
    function_slug = graphene.String(required=True)


class EventsFilter(graphene.InputObjectType):
    """Filter of eventsV2."""

    event_names = graphene.InputField(items_of(graphene.String))
    received_from = graphene.InputField(Time, required=True, name="from")
    include_internal_events = graphene.Boolean(required=True, default_value=False)
    query = graphene.String()
    until = graphene.InputField(Time)


class RunsFilterV2(graphene.InputObjectType):
    """Filter of runs."""

    time_from = graphene.InputField(Time, required=True, name="from")
    until = graphene.InputField(Time)
    time_field = graphene.InputField(RunsV2OrderByField, default_value="QUEUED_AT")
    status = graphene.InputField(items_of(FunctionRunStatus))
    function_ids = graphene.InputField(items_of(UUID), name="functionIDs")
    app_ids = graphene.InputField(items_of(UUID), name="appIDs")
    is_deferred = graphene.Boolean()
    query = graphene.String()


class RunsV2OrderBy(graphene.InputObjectType):
    """One ordering term."""

    field = graphene.InputField(RunsV2OrderByField, required=True)
    direction = graphene.InputField(RunsOrderByDirection, required=True)


class CreateAppInput(graphene.InputObjectType):
    """Input of createApp."""

    url = graphene.String(required=True)


class UpdateAppInput(graphene.InputObjectType):
    """Input of updateApp."""

    id = graphene.String(required=True)
    url = graphene.String(required=True)


class RerunFromStepInput(graphene.InputObjectType):
    """Where to resume from."""

    step_id = graphene.String(required=True, name="stepID")
    input = graphene.InputField(Bytes)
