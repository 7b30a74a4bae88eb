from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "apps.events"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.events.erasure import erase_events
        from apps.tenancy.hooks import on_erasure

        on_erasure(erase_events)
