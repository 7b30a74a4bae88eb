from django.apps import AppConfig


class CredentialsConfig(AppConfig):
    name = "apps.credentials"

    def ready(self) -> None:
        from apps.credentials.departures import revoke_tokens
        from apps.tenancy.hooks import on_departure

        on_departure(revoke_tokens)
