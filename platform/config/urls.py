"""Every URL of the platform, by app."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from apps.dashboard.views.support import end_support
from apps.server.views import no_interface

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("apps.devserver.urls")),
    path("", include("apps.server.urls")),
]
if settings.STEPWELL_UI:
    urlpatterns.append(path("", include("apps.dashboard.short_urls")))
else:
    urlpatterns.append(path("v0/gql", no_interface))
urlpatterns += [
    path("", include("apps.registry.urls")),
    path("", include("apps.api.urls")),
]
if settings.STEPWELL_UI:
    urlpatterns += [
        path("", include("apps.signin.urls")),
        path("admin/", admin.site.urls),
        path("support/end", end_support, name="support-end"),
        path("o/<slug:org>/", include("apps.dashboard.organisation_urls")),
        path("", include("apps.dashboard.urls")),
    ]

handler404 = "apps.dashboard.views.errors.not_found" if settings.STEPWELL_UI else "apps.server.views.no_page"
if settings.STEPWELL_UI:
    handler429 = "apps.dashboard.views.errors.too_many_requests"
    handler500 = "apps.dashboard.views.errors.server_error"
