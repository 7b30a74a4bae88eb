"""The schema's enumerations; the resolved value of each member is its name."""

import graphene


def _enum(name: str, members: str) -> type[graphene.Enum]:
    return graphene.Enum(name, [(member, member) for member in members.split()], description=None)


AppMethod = _enum("AppMethod", "SERVE CONNECT API")
ConcurrencyScope = _enum("ConcurrencyScope", "ACCOUNT ENVIRONMENT FUNCTION")
EventStatus = _enum("EventStatus", "RUNNING COMPLETED PAUSED FAILED PARTIALLY_FAILED NO_FUNCTIONS")
FunctionRunStatus = _enum("FunctionRunStatus", "COMPLETED FAILED CANCELLED RUNNING QUEUED SKIPPED")
FunctionStatus = _enum("FunctionStatus", "RUNNING COMPLETED FAILED CANCELLED")
FunctionTriggerTypes = _enum("FunctionTriggerTypes", "EVENT CRON")
RunDeferStatus = _enum("RunDeferStatus", "SCHEDULED ABORTED REJECTED")
RunTraceSpanStatus = _enum("RunTraceSpanStatus", "FAILED QUEUED RUNNING COMPLETED WAITING CANCELLED SKIPPED")
RunsOrderByDirection = _enum("RunsOrderByDirection", "ASC DESC")
RunsV2OrderByField = _enum("RunsV2OrderByField", "QUEUED_AT STARTED_AT ENDED_AT")
SingletonMode = _enum("SingletonMode", "SKIP CANCEL")
StepOp = _enum("StepOp", "INVOKE RUN SLEEP WAIT_FOR_EVENT AI_GATEWAY WAIT_FOR_SIGNAL")
