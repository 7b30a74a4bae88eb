"""Every letter has a part of plain text and one of HTML that say the same, and names the product."""

import re

from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils.html import strip_tags
from pytest_django.fixtures import Settings

from apps.audit.actors import SYSTEM
from apps.identity.letters import Part, as_html, letter, parts_of
from apps.identity.models import User
from apps.signin.mails import send_invitation
from apps.tenancy.access import access_for
from apps.tenancy.models import Account, Role
from apps.tenancy.services.invitations import invitation_create
from tests.integration.identity.people import NEW_PASSWORD, mailed_code


def _html(number: int = -1) -> str:
    message = mail.outbox[number]
    assert isinstance(message, EmailMultiAlternatives)
    ((content, kind),) = message.alternatives
    assert kind == "text/html"
    return str(content)


def _words(text: str) -> str:
    body = re.sub(r"(?s)<head>.*</head>", "", text)
    return " ".join(strip_tags(body.replace("<br>", " ")).split())


def test_the_code_of_a_reset_stands_out_and_both_parts_say_the_same(browser: Client, bob: User) -> None:
    browser.post("/reset", {"email": bob.email})
    text, html = str(mail.outbox[0].body), _html()
    assert f'<p class="code">{mailed_code()}</p>' in html
    for paragraph in text.partition("\n--\n")[0].split("\n\n"):
        assert " ".join(paragraph.split()) in _words(html)
    assert "did not ask for it, there is nothing to do" in _words(html)
    assert "on Stepwell" in text


def test_a_letter_is_read_in_the_dark_and_loads_nothing(browser: Client, bob: User) -> None:
    browser.post("/reset", {"email": bob.email})
    html = _html()
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "prefers-color-scheme: dark" in html
    assert re.search(r"<img|<script|<link|url\(|http", html) is None


def test_a_notice_says_when_from_where_and_what_to_do(browser: Client, bob: User) -> None:
    browser.post("/reset", {"email": bob.email})
    browser.post("/reset/code", {"code": mailed_code()})
    fields = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    browser.post("/reset/password", fields, headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/130.0"})
    text = str(mail.outbox[-1].body)
    assert "The password of your Stepwell account was reset" in text
    assert "From: 127.0.0.1, Firefox on Linux\n" in text
    assert "If that was not you, change your password at once" in text
    assert "Firefox on Linux" in _html()


def test_the_name_of_the_place_is_the_configured_one(browser: Client, bob: User, server: Settings) -> None:
    server.STEPWELL_BASE_URL = "https://stepwell.example:8443"
    browser.post("/reset", {"email": bob.email}, headers={"Host": "testserver"})
    assert str(mail.outbox[0].body).endswith("--\nStepwell at stepwell.example:8443")
    assert "testserver" not in str(mail.outbox[0].body) + _html()


def test_an_invitation_has_a_button_and_what_people_name_is_text(
    acme: Account, alice: User, server: Settings
) -> None:
    server.STEPWELL_BASE_URL = "https://stepwell.test/"
    Account.objects.filter(id=acme.id).update(name="<b>Acme</b>\n\nhttps://evil.test/invite/x\n\n")
    invited = invitation_create(
        access=access_for(alice, "acme"), email="dora@new.test", role=Role.VIEWER, actor=SYSTEM
    )
    invited.invitation.account.refresh_from_db()
    assert send_invitation(invited) is True
    html = _html()
    assert re.findall(r'href="([^"]+)"', html) == [f"https://stepwell.test/invite/{invited.token}"]
    assert "See the invitation</a>" in html
    assert "&lt;b&gt;Acme&lt;/b&gt;" in html


def test_parts_of_a_letter(server: Settings) -> None:
    server.STEPWELL_BASE_URL = "https://stepwell.test"
    text = "Words\nof two lines.\n\n    AB12-CD34\n\nhttps://stepwell.test/o/acme\n\nhttps://other.test/\n\n--\nStepwell"
    assert parts_of(text) == [
        Part("words", "Words\nof two lines."),
        Part("code", "AB12-CD34"),
        Part("link", "https://stepwell.test/o/acme"),
        Part("words", "https://other.test/"),
    ]
    assert "Words<br>of two lines." in as_html("A subject", text)
    message = letter("A\nsubject", "Words.", ["dora@new.test"])
    assert (message.subject, message.body) == ("A subject", "Words.\n\n--\nStepwell at stepwell.test\n")
