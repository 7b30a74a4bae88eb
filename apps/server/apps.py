from django.apps import AppConfig, apps
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate


class ServerConfig(AppConfig):
    """The self-hosted server: `manage.py start`, health, metrics, log lines, headers of pages."""

    name = "apps.server"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.server import row_policies  # needs the apps of the tables

        register(row_policies.missing_barrier, Tags.security, deploy=True)
        # Django sends it for apps with models, after all of them have been migrated.
        tenancy = apps.get_app_config("tenancy")
        post_migrate.connect(row_policies.install, sender=tenancy, dispatch_uid="row_policies")
