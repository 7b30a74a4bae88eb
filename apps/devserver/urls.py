from django.urls import URLPattern, URLResolver, path

from apps.devserver.views import health

urlpatterns: list[URLPattern | URLResolver] = [path("health", health, name="health")]
