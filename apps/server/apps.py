from django.apps import AppConfig


class ServerConfig(AppConfig):
    """The self-hosted server: `manage.py start`, health, metrics, log lines, headers of pages."""

    name = "apps.server"
    default_auto_field = "django.db.models.BigAutoField"
