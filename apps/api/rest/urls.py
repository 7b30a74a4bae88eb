"""URLs of the REST faces."""

from django.urls import path, re_path

from apps.api.rest import cancellations, events, functions, runs, signals, webhooks
from apps.api.rest.unknown import unknown_path

urlpatterns = [
    path("v1/events", events.EventListView.as_view()),
    path("v1/events/<str:event_id>", events.EventView.as_view()),
    path("v1/events/<str:event_id>/runs", events.EventRunsView.as_view()),
    path("v1/runs/<str:run_id>", runs.RunView.as_view()),
    path("v1/runs/<str:run_id>/jobs", runs.RunJobsView.as_view()),
    path("v1/apps/<str:app_id>/functions", functions.AppFunctionsView.as_view()),
    path("v1/cancellations", cancellations.CancellationsView.as_view()),
    path("v1/cancellations/<str:cancellation_id>", cancellations.CancellationView.as_view()),
    path("v1/signals", signals.SignalsView.as_view()),
    path("v1/webhooks", webhooks.WebhooksView.as_view()),
    path("v1/webhooks/<str:webhook_id>", webhooks.WebhookView.as_view()),
    path("v0/runs/<str:run_id>", runs.RunV0View.as_view()),
]

# After everything else: below these prefixes the dashboard never answers.
unknown_urlpatterns = [re_path(r"^(?:v0|v1|e|invoke|fn)(?:/.*)?$", unknown_path)]
