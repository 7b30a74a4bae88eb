"""The audit log of each organisation of a person tells of signing in and out, passwords and factors."""

import pytest
from django.db import transaction
from django.test import Client

from apps.audit.models import AuditEntry
from apps.audit.services import SYSTEM, audit_verify
from apps.credentials.services.provisioning import organisation_provision
from apps.identity.models import User
from apps.tenancy.models import Account
from tests.integration.identity.people import (
    NEW_PASSWORD,
    PASSWORD,
    mailed_code,
    sign_in,
    totp_code,
    with_totp,
)


def _noted(account: Account, action: str = "user.") -> list[tuple[str, bool, str, dict[str, str]]]:
    entries = AuditEntry.objects.filter(account_id=account.id, action__startswith=action).order_by("number")
    return [(row.action, row.is_success, row.actor_label, row.after) for row in entries]


def test_signing_in_and_out_is_noted_in_every_organisation(browser: Client, acme: Account, bob: User) -> None:
    own = organisation_provision(name="Bob's own", owner=bob, actor=SYSTEM)
    sign_in(browser, bob.email)
    browser.post("/sign-out")
    expected = [
        ("user.sign_in", True, bob.email, {"method": "password"}),
        ("user.sign_out", True, bob.email, {}),
    ]
    assert _noted(acme) == _noted(own) == expected
    entry = AuditEntry.objects.get(account_id=acme.id, action="user.sign_in")
    assert (entry.ip, entry.actor_id, entry.target_id) == ("127.0.0.1", str(bob.pk), str(bob.pk))
    assert audit_verify(acme.id).is_intact


def test_refused_attempts_are_noted_for_those_who_exist(browser: Client, acme: Account, bob: User) -> None:
    sign_in(browser, bob.email, "wrong")
    sign_in(browser, "nobody@acme.test", "wrong")
    assert _noted(acme) == [("user.sign_in", False, bob.email, {"method": "password"})]


def test_the_second_factor_is_part_of_it(browser: Client, acme: Account, bob: User) -> None:
    secret = with_totp(bob)
    sign_in(browser, bob.email)
    browser.post("/sign-in/second-factor", {"code": "000000"})
    browser.post("/sign-in/second-factor", {"code": totp_code(secret)})
    assert _noted(acme) == [
        ("user.sign_in", False, bob.email, {"method": "second factor"}),
        ("user.sign_in", True, bob.email, {"method": "password, mfa"}),
    ]


def test_changes_of_the_password_are_noted_and_it_is_not(browser: Client, acme: Account, bob: User) -> None:
    sign_in(browser, bob.email)
    fields = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    browser.post("/profile/password", fields | {"oldpassword": PASSWORD})
    browser.post("/sign-out")
    browser.post("/reset", {"email": bob.email})
    browser.post("/reset/code", {"code": mailed_code()})
    browser.post("/reset/password", {"password1": PASSWORD, "password2": PASSWORD})
    assert [entry[0] for entry in _noted(acme)] == [
        "user.sign_in",
        "user.password_change",
        "user.sign_out",
        "user.password_reset",
    ]
    assert PASSWORD not in str(list(AuditEntry.objects.values()))


def test_factors_come_and_go_by_name(
    browser: Client, acme: Account, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The library tells of them after the commit, which in a test never comes.
    monkeypatch.setattr(transaction, "on_commit", lambda then, **_: then())
    sign_in(browser, bob.email)
    browser.post("/confirm", {"password": PASSWORD})
    secret = browser.get("/profile/security/app").context["form"].secret
    browser.post("/profile/security/app", {"code": totp_code(secret)})
    browser.post("/profile/security/codes/new")
    browser.post("/profile/security/app/remove")
    assert [(entry[0], entry[3]) for entry in _noted(acme, "user.second_factor")] == [
        ("user.second_factor_add", {"factor": "TOTP Authenticator"}),
        ("user.second_factor_add", {"factor": "Recovery codes"}),
        ("user.second_factor_reset", {"factor": "Recovery codes"}),
        ("user.second_factor_remove", {"factor": "TOTP Authenticator"}),
        ("user.second_factor_remove", {"factor": "Recovery codes"}),
    ]


def test_a_new_address_is_noted(browser: Client, acme: Account, bob: User) -> None:
    sign_in(browser, bob.email)
    browser.post("/confirm", {"password": PASSWORD})
    answer = browser.post("/profile/email", {"action_add": "1", "email": "robert@acme.test"})
    assert answer["Location"] == "/verify"
    bob.refresh_from_db()
    assert bob.email == "bob@acme.test"
    browser.post("/verify", {"code": mailed_code()})
    bob.refresh_from_db()
    assert bob.email == "robert@acme.test"
    (entry,) = _noted(acme, "user.email")
    assert entry[3] == {"email": "robert@acme.test"}
