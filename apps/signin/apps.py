from django.apps import AppConfig


class SigninConfig(AppConfig):
    name = "apps.signin"

    def ready(self) -> None:
        from apps.signin import recording

        recording.connect()
