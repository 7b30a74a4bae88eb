from django.apps import AppConfig


class SigninConfig(AppConfig):
    name = "apps.signin"

    def ready(self) -> None:
        from apps.credentials.services.rekeying import on_rekey
        from apps.signin import recording
        from apps.signin.services.enforcing import sessions_end_of_former_owner
        from apps.signin.services.erasing import identities_erase
        from apps.signin.services.rekeying import signin_rekey
        from apps.tenancy.hooks import on_erasure, on_owner_step_down

        recording.connect()
        on_rekey(signin_rekey)
        on_erasure(identities_erase)
        on_owner_step_down(sessions_end_of_former_owner)
