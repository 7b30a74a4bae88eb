"""What signing in stores: encrypted, moved to a new key, and gone with the organisation."""

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from pytest_django.fixtures import Settings

from apps.audit.services import SYSTEM
from apps.credentials.services.rekeying import credentials_rekey
from apps.identity.models import User
from apps.signin.models import SsoConnection
from apps.signin.services.connections import connection_delete
from apps.signin.sso.configuration import OidcConfig, opened
from apps.tenancy.hooks import erase
from apps.tenancy.models import Account
from tests.integration.identity.people import sign_in, totp_code, user_id_of, with_totp
from tests.integration.identity.sso import connect

CONFIG = OidcConfig("https://idp.acme.test", "client", "the secret of a client")
OLD, NEW = "an old key of thirty-two characters!", "a new key of thirty-two characters!!"


def test_factors_and_connections_move_to_a_new_key(
    browser: Client, server: Settings, acme: Account, bob: User
) -> None:
    server.STEPWELL_ENCRYPTION_KEYS = [OLD]
    secret = with_totp(bob)
    connection = connect(acme, CONFIG)
    server.STEPWELL_ENCRYPTION_KEYS = [NEW, OLD]
    outcome = credentials_rekey()
    server.STEPWELL_ENCRYPTION_KEYS = [NEW]
    assert outcome.rewritten >= 2
    connection.refresh_from_db()
    assert opened(connection) == CONFIG
    sign_in(browser, bob.email)
    browser.post("/sign-in/second-factor", {"code": totp_code(secret)})
    assert user_id_of(browser) == str(bob.pk)
    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))


def _linked(connection: SsoConnection, user: User) -> None:
    SocialAccount.objects.create(user=user, provider=connection.provider_id, uid="1", extra_data={"a": "b"})


def test_whom_a_connection_has_signed_in_goes_with_it(acme: Account, bob: User) -> None:
    connection = connect(acme, CONFIG)
    _linked(connection, bob)
    connection_delete(connection=connection, actor=SYSTEM)
    assert SocialAccount.objects.count() == 0
    assert User.objects.filter(pk=bob.pk).exists()


def test_and_with_the_organisation_but_not_with_one_environment(acme: Account, bob: User) -> None:
    _linked(connect(acme, CONFIG), bob)
    environments = list(acme.environments.values_list("id", flat=True))
    erase(environments[:1])
    assert SocialAccount.objects.count() == 1
    erase(environments)
    assert SocialAccount.objects.count() == 0
