"""URLs of `api`."""

from django.urls import URLPattern, URLResolver, include, path

from apps.api.rest.urls import unknown_urlpatterns

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("apps.api.graphql.urls")),
    path("", include("apps.api.rest.urls")),
    *unknown_urlpatterns,
]
