"""Whatever page or mail of the library can be reached is our own."""

from pathlib import Path

import allauth
import pytest
from django.conf import settings
from django.template.loader import get_template

LIBRARY = Path(allauth.__file__).parent / "templates"
# Parts of the library that are not in use: phones, links by mail, sign-in codes, its provider of identities.
UNUSED = (
    "idp/",
    "openid/",
    "allauth/elements/",
    "account/phone_change",
    "account/confirm_phone",
    "account/base_",
    "account/snippets/",
    "account/signup_by_passkey",
    "account/confirm_login_code",
    "account/request_login_code",
    "account/email.html",
    "account/email_confirm.html",
    "account/verification_sent",
    "account/password_reset_done",
    "account/email/login_code",
    "account/email/password_reset_key",
    "account/messages/login_code",
    "account/messages/phone",
    "account/messages/email_confirmation_failed",
    "account/messages/logged",
    "mfa/trust",
    "mfa/base_",
    "mfa/totp/base",
    "mfa/recovery_codes/base",
    "mfa/webauthn/base",
    "mfa/webauthn/signup",
    "mfa/webauthn/snippets/",
    "socialaccount/base_",
    "socialaccount/snippets/",
    "socialaccount/messages/",
    "socialaccount/email/account_disconnected",
    "socialaccount/connections",
    "socialaccount/signup",
    "socialaccount/login.html",
    "socialaccount/login_redirect",
    "usersessions/base_",
)
IN_USE = sorted(
    str(path.relative_to(LIBRARY))
    for path in LIBRARY.rglob("*.*")
    if not str(path.relative_to(LIBRARY)).startswith(UNUSED)
)


@pytest.mark.parametrize("name", IN_USE)
def test_it_is_ours(name: str) -> None:
    found = get_template(name)
    origin = found.origin.name  # type: ignore[attr-defined]
    assert Path(origin).is_relative_to(Path(settings.BASE_DIR) / "templates")
    text = Path(origin).read_text()
    assert "style=" not in text
    assert "onclick" not in text
