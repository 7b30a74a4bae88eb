from django.apps import AppConfig


class DevserverConfig(AppConfig):
    name = "apps.devserver"
    default_auto_field = "django.db.models.BigAutoField"
