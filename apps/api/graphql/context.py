"""What the resolvers of one request share: the tenant and the batched look-ups."""

import uuid
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, TypeVar, cast

from graphql import GraphQLResolveInfo

from apps.api.graphql.batching import Batch
from apps.api.graphql.reads import registry as registry_reads
from apps.api.graphql.reads import runs as run_reads
from apps.audit.actors import SYSTEM, Actor
from apps.audit.changes import Target, audit_change
from apps.events import selectors as event_selectors
from apps.events.models import Event
from apps.registry import selectors as registry_selectors
from apps.registry.models import App, Function
from apps.runs import selectors as run_selectors
from apps.runs.models import Run

K = TypeVar("K")
V = TypeVar("V")


class RequestContext:
    """One per request. Rows that are loaded announce, through `saw_*`, the keys that their fields may
    need, so that a field costs one query however many rows have it."""

    def __init__(self, environment_id: uuid.UUID, account_id: uuid.UUID, actor: Actor = SYSTEM) -> None:
        self.environment_id = environment_id
        self.account_id = account_id
        self.actor = actor
        self.apps = Batch(self._load_apps)
        self.functions = Batch(self._load_functions)
        self.app_functions = Batch(self._load_app_functions)
        self.failure_handlers = Batch(self._load_failure_handlers)
        self.definitions = Batch(partial(registry_reads.definitions, environment_id))
        self.runs = Batch(self._load_runs)
        self.event_runs = Batch(self._load_event_runs)
        self.events = Batch(self._load_events)
        self.event_bodies = Batch(partial(event_selectors.event_bodies, environment_id))
        self.run_event_ids = Batch(self._load_run_event_ids)
        self.run_outputs = Batch(partial(run_selectors.run_outputs, environment_id))
        self.run_attempts = Batch(partial(run_reads.attempts_by_run, environment_id))
        self.ai_runs = Batch(partial(run_reads.runs_with_ai, environment_id))

    def audit(self, action: str, target: Target, after: Mapping[str, Any] | None = None) -> None:
        """Put on record what a mutation has changed."""
        audit_change(
            account_id=self.account_id,
            environment_id=self.environment_id,
            actor=self.actor,
            action=action,
            target=target,
            after=after,
        )

    def saw_apps(self, apps: Collection[App]) -> None:
        for app in apps:
            self.apps.put(app.id, app)
        self.app_functions.expect(app.id for app in apps)

    def saw_functions(self, functions: Collection[Function]) -> None:
        for function in functions:
            self.functions.put(function.id, function)
        self.apps.expect(function.app_id for function in functions)
        self.definitions.expect(function.id for function in functions)
        self.failure_handlers.expect(failure_key(function) for function in functions)

    def saw_runs(self, runs: Collection[Run]) -> None:
        for run in runs:
            self.runs.put(run.run_id, run)
        self.apps.expect(run.app_id for run in runs)
        self.functions.expect(run.function_id for run in runs)
        ids = [run.run_id for run in runs]
        for batch in (self.run_event_ids, self.run_outputs, self.run_attempts, self.ai_runs):
            cast("Batch[str, object]", batch).expect(ids)

    def saw_events(self, events: Collection[Event]) -> None:
        for event in events:
            self.events.put(event.internal_id, event)
        self.event_bodies.expect(event.key for event in events)
        self.event_runs.expect(event.internal_id for event in events)

    def _load_apps(self, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, App]:
        found = registry_reads.apps_by_id(self.environment_id, ids)
        self.saw_apps(found.values())
        return found

    def _load_functions(self, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Function]:
        found = registry_selectors.functions_by_id(self.environment_id, ids)
        self.saw_functions(found.values())
        return found

    def _load_app_functions(self, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, list[Function]]:
        found = registry_reads.functions_by_app(self.environment_id, ids)
        self.saw_functions(_flat(found))
        return found

    def _load_failure_handlers(
        self, keys: Collection[tuple[uuid.UUID, str]]
    ) -> Mapping[tuple[uuid.UUID, str], Function]:
        found = registry_reads.functions_by_slug(self.environment_id, keys)
        self.saw_functions(found.values())
        return found

    def _load_runs(self, ids: Collection[str]) -> Mapping[str, Run]:
        found = run_reads.runs_by_id(self.environment_id, ids)
        self.saw_runs(found.values())
        return found

    def _load_event_runs(self, ids: Collection[str]) -> Mapping[str, list[Run]]:
        found = run_reads.runs_by_event(self.environment_id, ids)
        self.saw_runs(_flat(found))
        return found

    def _load_events(self, ids: Collection[str]) -> Mapping[str, Event]:
        found = event_selectors.events_by_id(self.environment_id, ids)
        self.saw_events(found.values())
        return found

    def _load_run_event_ids(self, ids: Collection[str]) -> Mapping[str, list[str]]:
        found = run_selectors.run_event_ids(self.environment_id, ids)
        self.events.expect(_flat(found))
        return found


def failure_key(function: Function) -> tuple[uuid.UUID, str]:
    """Where the companion that handles the function's failures is found."""
    return function.app_id, f"{function.slug}-failure"


def context_of(info: GraphQLResolveInfo) -> RequestContext:
    return cast(RequestContext, info.context)


def _flat(groups: Mapping[K, list[V]]) -> list[V]:
    return [item for group in groups.values() for item in group]
