"""Authenticator apps and recovery codes; passkeys take a browser (tests/browser/test_identity.py)."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from apps.identity.models import User
from apps.signin.two_factor import has_second_factor
from apps.tenancy.models import Account
from tests.integration.identity.people import (
    PASSWORD,
    Visitor,
    factors,
    sign_in,
    totp_code,
    user_id_of,
    with_totp,
)


def _confirmed(client: Client, user: User) -> None:
    """Signed in, and the password given once more."""
    sign_in(client, user.email)
    answer = client.post("/confirm", {"password": PASSWORD, "next": "/profile/security"})
    assert answer["Location"] == "/profile/security"


def test_the_password_is_asked_again_before_a_factor_is_added(browser: Client, bob: User) -> None:
    sign_in(browser, bob.email)
    asked = "/confirm?next=%2Fprofile%2Fsecurity%2Fapp"
    assert browser.get("/profile/security/app")["Location"] == asked
    assert "That is not your password." in browser.post("/confirm", {"password": "x"}).content.decode()
    assert browser.get("/profile/security/app")["Location"] == asked


def test_an_app_is_set_up_by_a_code_and_brings_recovery_codes(browser: Client, bob: User) -> None:
    _confirmed(browser, bob)
    page = browser.get("/profile/security/app")
    secret = page.context["form"].secret
    assert secret in page.content.decode()
    assert "<svg" in page.content.decode()
    wrong = browser.post("/profile/security/app", {"code": "000000"})
    assert "That code is not right." in wrong.content.decode()
    assert factors(bob) == []
    answer = browser.post("/profile/security/app", {"code": totp_code(secret)})
    assert answer["Location"] == "/profile/security/codes"
    assert factors(bob) == ["recovery_codes", "totp"]
    assert has_second_factor(bob) is True
    codes = browser.get("/profile/security/codes").content.decode()
    assert codes.count("<span>") >= 10
    assert secret not in str(Authenticator.objects.get(user=bob, type="totp").data)


def test_recovery_codes_are_shown_once(browser: Client, bob: User) -> None:
    _confirmed(browser, bob)
    secret = browser.get("/profile/security/app").context["form"].secret
    browser.post("/profile/security/app", {"code": totp_code(secret)})
    codes = browser.get("/profile/security/codes").context["unused_codes"]
    assert len(codes) == 10
    page = browser.get("/profile/security/codes").content.decode()
    assert "10 of 10 codes are unused." in page
    assert not any(code in page for code in codes)


def test_the_password_alone_signs_nobody_in(browser: Client, bob: User) -> None:
    secret = with_totp(bob)
    assert sign_in(browser, bob.email)["Location"] == "/sign-in/second-factor"
    assert user_id_of(browser) is None
    assert browser.get("/orgs")["Location"] == "/sign-in?next=/orgs"
    wrong = browser.post("/sign-in/second-factor", {"code": "000000"})
    assert "That code is not right." in wrong.content.decode()
    answer = browser.post("/sign-in/second-factor", {"code": totp_code(secret)})
    assert answer["Location"] == "/"
    assert user_id_of(browser) == str(bob.pk)


def test_a_code_of_the_app_works_once(browser: Client, bob: User) -> None:
    secret = with_totp(bob)
    code = totp_code(secret)
    sign_in(browser, bob.email)
    browser.post("/sign-in/second-factor", {"code": code})
    other = Visitor()
    sign_in(other, bob.email)
    assert "That code is not right." in other.post("/sign-in/second-factor", {"code": code}).content.decode()
    assert user_id_of(other) is None


def test_guesses_at_the_second_factor_are_limited(browser: Client, bob: User) -> None:
    secret = with_totp(bob)
    sign_in(browser, bob.email)
    answers: list[Any] = [browser.post("/sign-in/second-factor", {"code": "000000"}) for _ in range(12)]
    assert "Too many attempts" in answers[-1].content.decode()
    page = browser.post("/sign-in/second-factor", {"code": totp_code(secret)}).content.decode()
    assert "Too many attempts" in page
    assert user_id_of(browser) is None


def test_a_recovery_code_signs_in_once(browser: Client, bob: User) -> None:
    _confirmed(browser, bob)
    secret = browser.get("/profile/security/app").context["form"].secret
    browser.post("/profile/security/app", {"code": totp_code(secret)})
    code = browser.get("/profile/security/codes").context["unused_codes"][0]
    cache.clear()
    for expected in (str(bob.pk), None):
        client = Visitor()
        sign_in(client, bob.email)
        client.post("/sign-in/second-factor", {"code": code})
        assert user_id_of(client) == expected


def test_removing_the_app_takes_the_recovery_codes_with_it(browser: Client, bob: User) -> None:
    """What was asked for goes on once the password has been given again."""
    with_totp(bob)
    browser.force_login(bob)
    path = "/profile/security/app/remove"
    assert browser.post(path)["Location"].startswith("/confirm?next=")
    assert factors(bob) == ["totp"]
    assert browser.post("/confirm", {"password": PASSWORD, "next": path})["Location"] == "/profile/security"
    assert factors(bob) == []
    assert has_second_factor(bob) is False


def test_an_organisation_may_insist_on_a_second_factor(browser: Client, acme: Account, bob: User) -> None:
    Account.objects.filter(id=acme.id).update(requires_two_factor=True)
    sign_in(browser, bob.email)
    page = "/o/acme/env/production/runs"
    for path in (page, "/o/acme/env"):
        assert browser.get(path)["Location"] == "/profile/security"
    wanted = "Acme wants you to have a second factor."
    assert wanted in browser.get("/profile/security").content.decode()
    part = browser.get(page, headers={"HX-Request": "true"})
    assert (part.status_code, part["HX-Redirect"]) == (401, "/profile/security")
    with_totp(bob)
    assert browser.get(page).status_code == 200


@pytest.mark.parametrize("path", ["/orgs/acme/sso", "/orgs/acme/sso/new/oidc"])
def test_single_sign_on_is_not_managed_without_the_second_factor_that_is_wanted(
    browser: Client, acme: Account, alice: User, path: str
) -> None:
    """Who has stolen a password must not decide how everybody else signs in."""
    Account.objects.filter(id=acme.id).update(requires_two_factor=True)
    sign_in(browser, alice.email)
    call = browser.post if path.endswith("oidc") else browser.get
    refused = call(path)
    assert (refused.status_code, refused["Location"]) == (302, "/profile/security")
    assert "Acme wants you to have a second factor." in browser.get("/profile/security").content.decode()
    with_totp(alice)
    assert call(path).status_code == (422 if path.endswith("oidc") else 200)


@pytest.mark.parametrize(
    "path", ["/profile", "/profile/email", "/profile/password", "/profile/security", "/profile/sessions"]
)
def test_settings_are_for_who_has_signed_in(browser: Client, bob: User, path: str) -> None:
    assert browser.get(path)["Location"] == f"/sign-in?next={path}"
    sign_in(browser, bob.email)
    assert browser.get(path).status_code == 200


def test_a_passkey_of_another_is_not_found(browser: Client, bob: User, alice: User) -> None:
    key = Authenticator.objects.create(user=alice, type="webauthn", data={"name": "hers"})
    _confirmed(browser, bob)
    for action in ("edit", "remove"):
        assert browser.get(f"/profile/security/passkeys/{key.pk}/{action}").status_code == 404
        assert browser.post(f"/profile/security/passkeys/{key.pk}/{action}").status_code == 404
    assert Authenticator.objects.filter(pk=key.pk).exists()
