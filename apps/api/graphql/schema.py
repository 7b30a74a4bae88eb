"""The schema: the part of the published one (spec 03, chapter 6) that is implemented."""

import graphene

from apps.api.graphql.mutations.registry import RegistryMutations
from apps.api.graphql.mutations.runs import RunMutations
from apps.api.graphql.queries.events import EventQueries
from apps.api.graphql.queries.registry import RegistryQueries
from apps.api.graphql.queries.runs import RunQueries


class Query(RegistryQueries, EventQueries, RunQueries):
    """Read operations of the local (single-tenant) API."""


class Mutation(RegistryMutations, RunMutations):
    """Write operations."""


schema = graphene.Schema(query=Query, mutation=Mutation)
