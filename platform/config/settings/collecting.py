"""For `make static` and the container's build: collects static files under names with a hash."""

from config.settings.base import *  # noqa: F403 a settings module re-exports its base

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "apps.server.static_storage.HashedFilesStorage"},
}
