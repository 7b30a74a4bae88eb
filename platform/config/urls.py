"""Every URL of the platform, by app."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("", include("apps.devserver.urls")),
    path("", include("apps.registry.urls")),
    path("", include("apps.api.urls")),
    path("", include("apps.dashboard.urls")),
]

handler404 = "apps.dashboard.views.errors.not_found"
