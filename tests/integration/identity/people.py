"""What tests do as people do it: sign in, read mail, fill in the second factor."""

import re
import time
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core import mail
from django.test import Client
from django.urls import set_script_prefix

from apps.identity.models import User

PASSWORD = "deep water runs cold"
NEW_PASSWORD = "still water is deeper"


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/sign-in", {"login": email, "password": password} | more)


def user_id_of(client: Client) -> str | None:
    """Who the session belongs to, as the server sees it."""
    return client.session.get("_auth_user_id")


def mailed_code() -> str:
    """The code of the last mail."""
    found = re.search(r"^ +(\S+)$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found is not None
    return found[1]


def with_totp(user: User) -> str:
    """Give the user an authenticator app; its secret."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return str(secret)


def totp_code(secret: str) -> str:
    counter = int(time.time()) // 30
    return str(format_hotp_value(hotp_value(secret, counter)))


def factors(user: User) -> list[str]:
    return sorted(Authenticator.objects.filter(user=user).values_list("type", flat=True))


class Visitor(Client):
    """Django's test client, with the Host header that browsers send, and with each request beginning as the
    servers begin it: without a script prefix."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"HTTP_HOST": "testserver"} | options)

    def request(self, **request: Any) -> Any:
        set_script_prefix("/")
        return super().request(**request)
