"""Making an account: by mail, without telling who has one, and only where that is open."""

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from apps.identity.models import User
from tests.integration.identity.people import PASSWORD, Visitor, mailed_code, sign_in, user_id_of

FORM = {"name": "Dora", "email": "Dora@New.test", "password1": PASSWORD}


@pytest.mark.usefixtures("alice")
def test_an_address_is_verified_before_it_signs_anyone_in(browser: Client) -> None:
    answer = browser.post("/sign-up", FORM)
    assert (answer.status_code, answer["Location"]) == (302, "/verify")
    user = User.objects.get(email="dora@new.test")
    assert (user.name, user_id_of(browser)) == ("Dora", None)
    assert browser.get("/orgs")["Location"] == "/sign-in?next=/orgs"

    answer = browser.post("/verify", {"code": mailed_code()})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert user_id_of(browser) == str(user.pk)
    assert EmailAddress.objects.get(user=user).verified is True
    assert browser.get("/")["Location"] == "/orgs"


@pytest.mark.usefixtures("alice")
def test_a_wrong_code_verifies_nothing_and_the_third_ends_it(browser: Client) -> None:
    browser.post("/sign-up", FORM)
    for _ in range(2):
        answer = browser.post("/verify", {"code": "XXXXXX"})
        assert answer.status_code == 200
        assert "That code is not right." in answer.content.decode()
    assert browser.post("/verify", {"code": "XXXXXX"})["Location"] == "/sign-in"
    assert browser.post("/verify", {"code": mailed_code()})["Location"] == "/sign-in"
    assert EmailAddress.objects.get(email="dora@new.test").verified is False


def test_an_address_with_an_account_gets_the_same_answer_and_another_mail(
    browser: Client, alice: User
) -> None:
    fresh = browser.post("/sign-up", FORM)
    taken = Visitor().post("/sign-up", FORM | {"email": alice.email, "name": "Mallory"})
    assert (
        (taken.status_code, taken["Location"]) == (fresh.status_code, fresh["Location"]) == (302, "/verify")
    )
    assert [message.subject for message in mail.outbox] == [
        "Stepwell: Your code to verify this address",
        "Stepwell: You have an account already",
    ]
    alice.refresh_from_db()
    assert (alice.name, User.objects.count()) == ("Alice", 2)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"password1": "short"}, "This password is too short. It must contain at least 10 characters."),
        ({"password1": "1029384756"}, "This password is entirely numeric."),
        ({"password1": "dora@new.test"}, "The password is too similar to the email."),
        ({"name": ""}, "This field is required."),
        ({"email": "nonsense"}, "Enter a valid email address."),
    ],
)
@pytest.mark.usefixtures("alice")
def test_what_is_wrong_is_said_at_the_field(browser: Client, changed: dict[str, str], problem: str) -> None:
    page = browser.post("/sign-up", FORM | changed).content.decode()
    field = next(iter(changed))
    assert problem in page.replace("&#x27;", "'")
    assert f'aria-describedby="id_{field}' in page
    assert not User.objects.filter(name="Dora").exists()


def test_by_invitation_only_nobody_makes_an_account_alone(
    browser: Client, server: Settings, alice: User
) -> None:
    server.STEPWELL_SIGN_UP = "invitation"
    assert "By invitation" in browser.get("/sign-up").content.decode()
    assert "By invitation" in browser.post("/sign-up", FORM).content.decode()
    assert User.objects.count() == 1
    assert "Make an account" not in browser.get("/sign-in").content.decode()


def test_a_server_without_mail_lets_new_people_in_at_once(
    browser: Client, server: Settings, alice: User
) -> None:
    server.IS_MAIL_CONFIGURED = False
    server.ACCOUNT_EMAIL_VERIFICATION = "none"
    server.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = False
    assert browser.post("/sign-up", FORM)["Location"] == "/"
    assert user_id_of(browser) is not None
    assert mail.outbox == []
    page = Visitor().post("/sign-up", FORM).content.decode()
    assert "There is a user with this e-mail address already." in page


@pytest.mark.usefixtures("alice")
def test_who_signs_in_without_having_verified_is_asked_for_the_code(browser: Client) -> None:
    browser.post("/sign-up", FORM)
    other = Visitor()
    cache.clear()  # the cool-down of ten seconds between two codes
    assert sign_in(other, "dora@new.test")["Location"] == "/verify"
    assert user_id_of(other) is None
    other.post("/verify", {"code": mailed_code()})
    assert user_id_of(other) is not None
