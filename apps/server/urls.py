from django.urls import URLPattern, URLResolver, path

from apps.server.health import live, ready
from apps.server.metrics.views import metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/live", live, name="health-live"),
    path("health/ready", ready, name="health-ready"),
    path("metrics", metrics, name="prometheus-metrics"),
]
