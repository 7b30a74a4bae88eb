"""URLs of the GraphQL face."""

from django.urls import path

from apps.api.graphql.views import graphql_endpoint

urlpatterns = [path("v0/gql", graphql_endpoint, name="graphql")]
