from django.apps import AppConfig


class SigninConfig(AppConfig):
    name = "apps.signin"

    def ready(self) -> None:
        from apps.credentials.services.rekeying import on_rekey
        from apps.signin import recording
        from apps.signin.services.erasing import identities_erase
        from apps.signin.services.rekeying import signin_rekey
        from apps.tenancy.hooks import on_erasure

        recording.connect()
        on_rekey(signin_rekey)
        on_erasure(identities_erase)
