"""Addresses without an organisation; before those of the API, which answer for what else is below `/e/`."""

from django.urls import URLPattern, URLResolver, re_path

from apps.dashboard.views import short

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^r/(?P<run_id>[0-9A-Za-z]{26})$", short.run, name="short-run"),
    re_path(r"^e/(?P<internal_id>[0-9A-Za-z]{26})$", short.event, name="short-event"),
    re_path(r"^env/(?P<env>[^/]+)(?P<rest>/.*)?$", short.environment, name="short-environment"),
]
