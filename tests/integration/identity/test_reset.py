"""A forgotten password: a code by mail, the same answer for everyone, and an end to every session."""

from django.core import mail
from django.test import Client
from pytest_django.fixtures import Settings

from apps.identity.models import User
from tests.integration.identity.people import NEW_PASSWORD, Visitor, mailed_code, sign_in, user_id_of


def test_a_mailed_code_sets_a_new_password_and_ends_the_sessions(browser: Client, bob: User) -> None:
    signed_in = Visitor()
    sign_in(signed_in, bob.email)
    assert browser.post("/reset", {"email": bob.email})["Location"] == "/reset/code"
    assert browser.post("/reset/code", {"code": mailed_code()})["Location"] == "/reset/password"
    fields = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert browser.post("/reset/password", fields)["Location"] == "/reset/done"
    assert user_id_of(browser) is None
    assert signed_in.get("/orgs")["Location"] == "/sign-in?next=/orgs"
    assert "do not fit together" in sign_in(browser, bob.email).content.decode()
    assert sign_in(browser, bob.email, NEW_PASSWORD)["Location"] == "/"
    assert [message.subject for message in mail.outbox] == [
        "Stepwell: Your code to reset the password",
        "Stepwell: Your password was reset",
    ]


def test_an_unknown_address_gets_the_same_answer_and_a_mail_too(browser: Client, bob: User) -> None:
    pages = []
    for client, email in ((browser, bob.email), (Visitor(), "nobody@acme.test")):
        answer = client.post("/reset", {"email": email}, follow=True)
        assert answer.redirect_chain == [("/reset/code", 302)]
        page = answer.content.decode().replace(email, "someone")
        pages.append([line for line in page.splitlines() if "csrfmiddlewaretoken" not in line])
    assert pages[0] == pages[1]
    assert [message.to for message in mail.outbox] == [[bob.email], ["nobody@acme.test"]]


def test_a_code_is_guessed_three_times_at_most(browser: Client, bob: User) -> None:
    browser.post("/reset", {"email": bob.email})
    for _ in range(2):
        assert browser.post("/reset/code", {"code": "XXXXXXXX"}).status_code == 200
    assert browser.post("/reset/code", {"code": "XXXXXXXX"})["Location"] == "/sign-in"
    assert browser.post("/reset/code", {"code": mailed_code()})["Location"] == "/sign-in"
    assert browser.get("/reset/password")["Location"] == "/reset"


def test_the_code_is_worth_nothing_in_another_browser(browser: Client, bob: User) -> None:
    browser.post("/reset", {"email": bob.email})
    assert Visitor().post("/reset/code", {"code": mailed_code()})["Location"] == "/sign-in"


def test_requests_are_limited(browser: Client, bob: User) -> None:
    for _ in range(5):
        assert browser.post("/reset", {"email": bob.email}).status_code == 302
    answer = browser.post("/reset", {"email": bob.email})
    assert answer.status_code == 429
    assert "Too many requests" in answer.content.decode()
    assert len(mail.outbox) == 5


def test_no_mail_holds_an_address_of_the_request(browser: Client, bob: User) -> None:
    """A forged Host header must not put links into our mails."""
    browser.post("/reset", {"email": bob.email}, headers={"Host": "testserver"})
    assert "http" not in str(mail.outbox[0].body)


def test_a_server_without_mail_says_who_can_help(browser: Client, bob: User, server: Settings) -> None:
    server.IS_MAIL_CONFIGURED = False
    page = browser.post("/reset", {"email": bob.email}).content.decode()
    assert "manage.py changepassword" in page
    assert mail.outbox == []
