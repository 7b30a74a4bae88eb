"""The pages of an environment, below its place: nothing else answers there."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [path("", include("apps.dashboard.urls"))]

handler404 = "apps.dashboard.views.errors.not_found"
handler500 = "apps.dashboard.views.errors.server_error"
