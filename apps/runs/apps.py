from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "apps.runs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.runs.erasure import erase_runs
        from apps.tenancy.hooks import on_erasure

        on_erasure(erase_runs)
