"""URLs of `registry`."""

from django.urls import URLPattern, URLResolver, path

from apps.registry import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("dev", views.dev),
    path("fn/register", views.register),
    path("fn/remove", views.remove),
]
