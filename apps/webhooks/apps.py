from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "apps.webhooks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.credentials.services.rekeying import on_rekey
        from apps.tenancy.hooks import on_erasure
        from apps.webhooks.services.upkeep import deliveries_erase, secrets_rekey

        on_erasure(deliveries_erase)
        on_rekey(secrets_rekey)
