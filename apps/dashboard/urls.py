"""URLs of `dashboard`."""

from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from apps.dashboard.views import apps, events, functions, runs

app_name = "dashboard"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="dashboard:runs"), name="home"),
    path("runs", runs.runs, name="runs"),
    path("runs/<str:run_id>", runs.run, name="run"),
    path("runs/<str:run_id>/payload", runs.run_payload, name="run-payload"),
    path("runs/<str:run_id>/cancel", runs.cancel, name="run-cancel"),
    path("runs/<str:run_id>/rerun", runs.rerun, name="run-rerun"),
    path("events", events.events, name="events"),
    path("events/send", events.send, name="event-send"),
    path("events/<str:internal_id>", events.event, name="event"),
    path("events/<str:internal_id>/payload", events.event_payload, name="event-payload"),
    path("functions", functions.functions, name="functions"),
    path("functions/<path:slug>/pause", functions.pause, name="function-pause"),
    path("functions/<path:slug>/resume", functions.resume, name="function-resume"),
    path("functions/<path:slug>/invoke", functions.invoke, name="function-invoke"),
    path("functions/<path:slug>", functions.function, name="function"),
    path("apps", apps.app_list, name="apps"),
    path("apps/add", apps.app_add, name="app-add"),
    path("apps/<uuid:app_id>/sync", apps.app_sync, name="app-sync"),
    path("apps/<uuid:app_id>/remove", apps.app_remove, name="app-remove"),
]
