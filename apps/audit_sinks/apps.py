from django.apps import AppConfig


class AuditSinksConfig(AppConfig):
    name = "apps.audit_sinks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.audit_sinks.services import secrets_rekey
        from apps.credentials.services.rekeying import on_rekey

        on_rekey(secrets_rekey)
