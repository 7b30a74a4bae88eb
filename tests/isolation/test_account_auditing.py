"""What people change about their own accounts is on record in each of their organisations, and in the log of
the installation where they have none (spec 05, 2.8).

Every page of people has a case here, or the reason why it needs none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.audit.models import AuditEntry
from apps.audit.services import INSTALLATION_ID, SYSTEM
from apps.credentials.models import PersonalToken
from apps.identity.models import User
from apps.signin.services.setup import setup_token_issue
from apps.tenancy.access import access_for
from apps.tenancy.models import Role
from apps.tenancy.services.invitations import invitation_create
from tests.integration.identity.people import (
    NEW_PASSWORD,
    PASSWORD,
    mailed_code,
    sign_in,
    totp_code,
    with_totp,
)
from tests.integration.identity.people import Visitor as Browser
from tests.isolation.cast import Stage
from tests.isolation.endpoints import endpoints, missing
from tests.isolation.test_organisation_pages import OPEN, OWN, PERSONAL

_NEW: Final = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}


@dataclass(frozen=True)
class Person:
    """Dora with a password, signed in where her case does not say otherwise."""

    stage: Stage
    user: User
    browser: Client

    def send(self, name: str, form: Mapping[str, object] | None = None, **ids: object) -> Any:
        return self.browser.post(reverse(name, kwargs=ids or None), form or {})

    def confirm(self) -> None:
        self.browser.post("/confirm", {"password": PASSWORD})


def _sign_out(person: Person) -> None:
    person.send("account_logout")


def _sign_in_again(person: Person) -> None:
    _sign_out(person)
    sign_in(person.browser, person.user.email)


def _second_factor(person: Person) -> None:
    _sign_out(person)
    secret = with_totp(person.user)
    sign_in(person.browser, person.user.email)
    person.send("mfa_authenticate", {"code": totp_code(secret)})


def _reset(person: Person) -> None:
    _sign_out(person)
    person.send("account_reset_password", {"email": person.user.email})
    person.send("account_confirm_password_reset_code", {"code": mailed_code()})
    person.send("account_complete_password_reset", _NEW)


def _move(person: Person) -> None:
    person.confirm()
    person.send("account_email", {"action_add": "1", "email": "dora2@isolation.example"})
    person.send("account_email_verification_sent", {"code": mailed_code()})


def _set_password(person: Person) -> None:
    """Of who has none, such as who came by single sign-on."""
    person.user.set_unusable_password()
    person.user.save()
    person.browser.force_login(person.user)
    person.send("account_set_password", _NEW)


def _activate_totp(person: Person) -> None:
    person.confirm()
    secret = person.browser.get(reverse("mfa_activate_totp")).context["form"].secret
    person.send("mfa_activate_totp", {"code": totp_code(secret)})


def _deactivate_totp(person: Person) -> None:
    with_totp(person.user)
    person.confirm()
    person.send("mfa_deactivate_totp")


def _new_codes(person: Person) -> None:
    with_totp(person.user)
    person.confirm()
    person.send("mfa_generate_recovery_codes")


def _passkey(person: Person) -> int:
    data = {"name": "Laptop", "credential": {}}
    key = Authenticator.objects.create(user=person.user, type=Authenticator.Type.WEBAUTHN, data=data)
    return int(key.pk)


def _rename_passkey(person: Person) -> None:
    key = _passkey(person)
    person.confirm()
    person.send("mfa_edit_webauthn", {"name": "Phone"}, pk=key)


def _remove_passkey(person: Person) -> None:
    key = _passkey(person)
    person.confirm()
    person.send("mfa_remove_webauthn", pk=key)


def _end_session(person: Person) -> None:
    session = UserSession.objects.create(
        user=person.user, session_key="elsewhere", ip="192.0.2.1", user_agent="x", last_seen_at=timezone.now()
    )
    person.send("signin_session_end", session_id=session.pk)


def _make_token(person: Person) -> None:
    person.confirm()
    form = {"name": "cli", "organisation": "acme", "preset": "full", "lifetime": "never"}
    person.send("signin_token_create", form)


def _revoke_token(person: Person) -> None:
    _make_token(person)
    person.send("signin_token_revoke", token_id=PersonalToken.objects.get(user=person.user).id)


def _accept_invitation(person: Person) -> None:
    invited = invitation_create(
        access=access_for(person.stage.people.mallory, "globex"),
        email=person.user.email,
        role=Role.VIEWER,
        environment_ids=[],
        actor=SYSTEM,
    )
    person.send("signin_invitation", token=invited.token)


def _end_support(person: Person) -> None:
    session = person.browser.session
    session["support"] = {"id": str(person.stage.acme.id), "slug": "acme", "until": 4e9}
    session.save()
    person.send("support-end")


# By the page: what is done, and the action that has to be on record.
RECORDED: Final[Mapping[str, tuple[Callable[[Person], object], str]]] = {
    "account_login": (_sign_in_again, "user.sign_in"),
    "mfa_authenticate": (_second_factor, "user.sign_in"),
    "account_logout": (_sign_out, "user.sign_out"),
    "account_email_verification_sent": (_move, "user.email_change"),
    "account_complete_password_reset": (_reset, "user.password_reset"),
    "account_change_password": (
        lambda person: person.send("account_change_password", {"oldpassword": PASSWORD, **_NEW}),
        "user.password_change",
    ),
    "account_set_password": (_set_password, "user.password_set"),
    "signin_profile": (lambda person: person.send("signin_profile", {"name": "Dorothy"}), "user.rename"),
    "mfa_activate_totp": (_activate_totp, "user.second_factor_add"),
    "mfa_deactivate_totp": (_deactivate_totp, "user.second_factor_remove"),
    "mfa_generate_recovery_codes": (_new_codes, "user.second_factor_reset"),
    "mfa_edit_webauthn": (_rename_passkey, "user.second_factor_rename"),
    "mfa_remove_webauthn": (_remove_passkey, "user.second_factor_remove"),
    "usersessions_list": (lambda person: person.send("usersessions_list"), "user.sessions_end"),
    "signin_session_end": (_end_session, "user.session_end"),
    "signin_token_create": (_make_token, "token.create"),
    "signin_token_revoke": (_revoke_token, "token.revoke"),
    "signin_organisations": (
        lambda person: person.send("signin_organisations", {"name": "Dora's own"}),
        "account.create",
    ),
    "signin_invitation": (_accept_invitation, "invitation.accept"),
    "support-end": (_end_support, "support.stop"),
}
_BROWSER: Final = "needs a device with passkeys: tests/browser/test_identity.py looks into the log"
_PROVIDER: Final = "needs an identity provider: tests/integration/identity/test_sso_oidc.py"
_BEGINS: Final = "begins something whose end is on record"
_ASKS: Final = "asks again who somebody is, and changes nothing"
UNRECORDED: Final[Mapping[str, str]] = {
    "signin_setup": "its own test below: there are no people yet",
    "account_signup": "its own test below: it is nobody's member yet",
    "signin_sso": _BEGINS,
    "account_reset_password": _BEGINS,
    "account_confirm_password_reset_code": _BEGINS,
    "account_email": _BEGINS,
    "account_reauthenticate": _ASKS,
    "mfa_reauthenticate": _ASKS,
    "mfa_reauthenticate_webauthn": _ASKS,
    "mfa_login_webauthn": _BROWSER,
    "mfa_add_webauthn": _BROWSER,
    "openid_connect_callback": _PROVIDER,
    "saml_acs": _PROVIDER,
    "saml_finish_acs": _PROVIDER,
    "socialaccount_connections": "leads to the profile: connections are the organisation's",
    "signin_theme": "how pages look to oneself",
    "signin_switch": "where one's browser is",
    "graphql": "tests/isolation/test_auditing.py",
    **dict.fromkeys(
        (
            *("account_inactive", "account_password_reset_completed", "mfa_index", "mfa_list_webauthn"),
            *(
                "mfa_view_recovery_codes",
                "signin_tokens",
                "saml_metadata",
                "saml_sls",
                "socialaccount_signup",
            ),
            *("socialaccount_login_error", "socialaccount_login_cancelled"),
            *("health", "health-live", "health-ready", "prometheus-metrics"),
        ),
        "is only looked at",
    ),
}


def test_every_page_of_people_has_a_case() -> None:
    names = {*OPEN, *OWN, *PERSONAL}
    assert names <= {endpoint.name for endpoint in endpoints()}
    assert not RECORDED.keys() & UNRECORDED.keys()
    advice = "Add it to RECORDED in tests/isolation/test_account_auditing.py, or the reason to UNRECORDED."
    assert not (text := missing(names, {*RECORDED, *UNRECORDED}, advice)), text


@pytest.fixture
def person(stage: Stage, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Person:
    settings.IS_MAIL_CONFIGURED = True
    settings.MFA_ALLOW_UNVERIFIED_EMAIL = False
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
    # The library tells of factors after the commit, which in a test never comes.
    monkeypatch.setattr(transaction, "on_commit", lambda then, **_: then())
    user = stage.people.dora
    user.set_password(PASSWORD)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    browser = Browser()
    sign_in(browser, user.email)
    return Person(stage, user, browser)


@pytest.mark.parametrize("name", RECORDED)
def test_what_people_change_about_themselves_is_on_record(person: Person, name: str) -> None:
    act, action = RECORDED[name]
    before = set(AuditEntry.objects.values_list("id", flat=True))
    act(person)
    entries = AuditEntry.objects.exclude(id__in=before).filter(action=action, is_success=True)
    assert {entry.actor_id for entry in entries} == {str(person.user.pk)}
    assert PASSWORD not in str(list(AuditEntry.objects.values()))


def test_an_operator_who_is_nobodys_member_is_in_the_log_of_the_installation(person: Person) -> None:
    oscar = person.stage.people.oscar
    oscar.set_password(PASSWORD)
    oscar.save()
    EmailAddress.objects.create(user=oscar, email=oscar.email, primary=True, verified=True)
    sign_in(Browser(), oscar.email)
    sign_in(Browser(), oscar.email, "wrong")
    entries = AuditEntry.objects.filter(account_id=INSTALLATION_ID, actor_id=str(oscar.pk)).order_by("number")
    assert [(entry.action, entry.is_success) for entry in entries] == [
        ("user.sign_in", True),
        ("user.sign_in", False),
    ]


def test_who_signs_up_is_in_the_log_of_the_installation(person: Person, settings: Settings) -> None:
    settings.STEPWELL_SIGN_UP = "open"
    browser, email = Browser(), "new@isolation.example"
    browser.post("/sign-up", {"email": email, "name": "New", **_NEW})
    browser.post("/verify", {"code": mailed_code()})
    entries = AuditEntry.objects.filter(account_id=INSTALLATION_ID, actor_label=email).order_by("number")
    assert [entry.action for entry in entries] == ["user.sign_up", "user.email_change", "user.sign_in"]


def test_the_first_organisation_is_on_record(db: None, server: None) -> None:
    email, token = "ann@first.example", setup_token_issue()
    form = {"token": token, "organisation": "First", "name": "Ann", "email": email, "password": PASSWORD}
    assert Browser().post("/setup", form).status_code == 302
    actions = set(AuditEntry.objects.filter(actor_label=email).values_list("action", flat=True))
    assert {"account.create", "user.sign_in"} <= actions
