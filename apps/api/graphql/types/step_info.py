"""Details of steps by kind; resolved from `apps.runs.step_info`."""

import graphene
from graphql import GraphQLResolveInfo

from apps.api.graphql.scalars import ULID, Time
from apps.runs import step_info


class InvokeStepInfo(graphene.ObjectType):
    """Details of a step that invokes a function."""

    triggering_event_id = graphene.Field(ULID, required=True, name="triggeringEventID")
    function_id = graphene.String(required=True, name="functionID")
    timeout = graphene.Field(Time, required=True)
    return_event_id = graphene.Field(ULID, name="returnEventID")
    run_id = graphene.Field(ULID, name="runID")
    timed_out = graphene.Boolean()


class SleepStepInfo(graphene.ObjectType):
    """Details of a sleep."""

    sleep_until = graphene.Field(Time, required=True)


class WaitForEventStepInfo(graphene.ObjectType):
    """Details of a wait for an event."""

    event_name = graphene.String(required=True)
    expression = graphene.String()
    timeout = graphene.Field(Time, required=True)
    found_event_id = graphene.Field(ULID, name="foundEventID")
    timed_out = graphene.Boolean()


class WaitForSignalStepInfo(graphene.ObjectType):
    """Details of a wait for a signal."""

    signal = graphene.String(required=True)
    timeout = graphene.Field(Time, required=True)
    timed_out = graphene.Boolean()


class RunStepInfo(graphene.ObjectType):
    """Details of an executed step."""

    type = graphene.String()


_TYPES: dict[type, type[graphene.ObjectType]] = {
    step_info.InvokeInfo: InvokeStepInfo,
    step_info.SleepInfo: SleepStepInfo,
    step_info.WaitForEventInfo: WaitForEventStepInfo,
    step_info.WaitForSignalInfo: WaitForSignalStepInfo,
    step_info.RunInfo: RunStepInfo,
}


class StepInfo(graphene.Union):
    """Details that depend on the kind of step."""

    class Meta:
        types = (InvokeStepInfo, SleepStepInfo, WaitForEventStepInfo, RunStepInfo, WaitForSignalStepInfo)

    @classmethod
    def resolve_type(cls, instance: object, info: GraphQLResolveInfo) -> type[graphene.ObjectType]:
        return _TYPES[type(instance)]
