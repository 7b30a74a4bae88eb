"""Organisations of a person: a new one, invitations, and the way between them."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.audit.services import SYSTEM
from apps.credentials.models import EventKey
from apps.identity.models import User
from apps.signin.mails import send_invitation
from apps.tenancy.access import access_for
from apps.tenancy.models import Account, Invitation, InvitationState, Membership, Role
from apps.tenancy.services.invitations import invitation_create
from tests.integration.identity.people import PASSWORD, Visitor, mailed_code, sign_in, user_id_of


@pytest.fixture
def token(acme: Account, alice: User) -> str:
    """Of an invitation of dora@new.test to Acme."""
    access = access_for(alice, "acme")
    return invitation_create(access=access, email="dora@new.test", role=Role.VIEWER, actor=SYSTEM).token


def test_a_new_organisation_comes_with_everything(browser: Client, stranger: User) -> None:
    sign_in(browser, stranger.email)
    assert "You are in no organisation yet" in browser.get("/orgs").content.decode()
    answer = browser.post("/orgs", {"name": "Charlie & Co"})
    assert answer["Location"] == "/o/charlie-co/env/production/runs"
    account = Account.objects.get(slug="charlie-co")
    assert [(row.user, row.role) for row in account.memberships.all()] == [(stranger, Role.OWNER)]
    assert EventKey.objects.filter(account=account).count() == 2
    assert browser.get(answer["Location"]).status_code == 200
    assert browser.get("/runs")["Location"] == "/o/charlie-co/env/production/runs"
    page = browser.get("/orgs").content.decode()
    assert "Charlie &amp; Co" in page


def test_a_name_is_checked(browser: Client, stranger: User) -> None:
    sign_in(browser, stranger.email)
    answer = browser.post("/orgs", {"name": "a\u202eb"})
    assert answer.status_code == 422
    assert "A name has no control characters." in answer.content.decode()
    assert not Membership.objects.filter(user=stranger).exists()


def test_names_cannot_break_out_of_the_page(browser: Client, stranger: User) -> None:
    sign_in(browser, stranger.email)
    browser.post("/orgs", {"name": "<script>alert(1)</script>"})
    browser.post("/profile", {"name": "<img src=x onerror=alert(1)>"})
    for path in ("/orgs", "/profile"):
        page = browser.get(path).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_switching_goes_home_or_to_a_page_and_strangers_find_nothing(
    browser: Client, acme: Account, alice: User, stranger: User
) -> None:
    sign_in(browser, alice.email)
    assert browser.get("/switch", {"org": "acme"})["Location"] == "/o/acme/env/production/runs"
    run = browser.get("/switch", {"org": "acme", "next": "/runs/01ABC"})
    assert run["Location"] == "/runs/01ABC"
    assert browser.get(run["Location"])["Location"] == "/o/acme/env/production/runs/01ABC"
    other = Visitor()
    sign_in(other, stranger.email)
    for org in ("acme", "nowhere", ""):
        answer = other.get("/switch", {"org": org, "next": "/runs"})
        assert answer.status_code == 404
        assert "There is nothing here" in answer.content.decode()


def test_an_invitation_leads_through_sign_up_into_the_organisation(
    browser: Client, server: Settings, token: str
) -> None:
    server.STEPWELL_SIGN_UP = "invitation"
    page = browser.get(f"/invite/{token}").content.decode()
    assert "Join Acme" in page
    assert "Alice invites <strong>dora@new.test</strong> as viewer." in page
    form = {"name": "Dora", "email": "dora@new.test", "password1": PASSWORD, "next": f"/invite/{token}"}
    other_address = browser.post("/sign-up", form | {"email": "eve@new.test"}).content.decode()
    assert "Use the address that the invitation was sent to." in other_address
    browser.post("/sign-up", form)
    other = Visitor()  # who has closed the browser meanwhile signs in, and verifies then
    cache.clear()
    assert sign_in(other, "dora@new.test", next=f"/invite/{token}")["Location"] == "/verify"
    answer = other.post("/verify", {"code": mailed_code()})
    assert answer["Location"] == f"/invite/{token}"
    answer = other.post(f"/invite/{token}")
    assert answer["Location"] == "/o/acme/env/production/runs"
    dora = User.objects.get(email="dora@new.test")
    assert Membership.objects.get(user=dora).role == Role.VIEWER
    assert Invitation.objects.get().state == InvitationState.ACCEPTED
    assert Visitor().get("/sign-up").content.decode().count("By invitation") == 1


def test_an_invitation_takes_a_form_and_the_right_person(browser: Client, token: str, stranger: User) -> None:
    assert browser.post(f"/invite/{token}").status_code == 200
    sign_in(browser, stranger.email)
    page = browser.get(f"/invite/{token}").content.decode()
    assert f"You are signed in as {stranger.email}. Only the account with the address above" in page
    assert "Join as" not in page
    answer = browser.post(f"/invite/{token}")
    assert answer.status_code == 403
    assert "This invitation went to another address." in answer.content.decode()
    assert Invitation.objects.get().state == InvitationState.PENDING
    assert not Membership.objects.filter(user=stranger).exists()


def test_what_is_left_of_an_invitation_is_said(browser: Client, token: str) -> None:
    unknown = browser.get("/invite/unknown")
    assert unknown.status_code == 404
    assert "This invitation leads nowhere" in unknown.content.decode()
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "This invitation has expired." in browser.get(f"/invite/{token}").content.decode()
    Invitation.objects.update(state=InvitationState.REVOKED)
    assert "was taken back" in browser.get(f"/invite/{token}").content.decode()


def test_an_expired_invitation_opens_no_sign_up(browser: Client, server: Settings, token: str) -> None:
    server.STEPWELL_SIGN_UP = "invitation"
    browser.get(f"/invite/{token}")
    assert "Make an account" in browser.get("/sign-up").content.decode()
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "By invitation" in browser.get("/sign-up").content.decode()
    assert user_id_of(browser) is None


def test_open_invitations_of_ones_addresses_are_listed(browser: Client, token: str) -> None:
    from tests.integration.identity.conftest import _person

    dora = _person("dora@new.test", "Dora")
    sign_in(browser, dora.email)
    page = browser.get("/orgs").content.decode()
    assert "Open the link that was sent to dora@new.test." in page
    assert token not in page


def test_the_mailed_link_is_of_the_configured_address(acme: Account, alice: User, server: Settings) -> None:
    server.STEPWELL_BASE_URL = "https://stepwell.test/"
    access = access_for(alice, "acme")
    Account.objects.filter(id=acme.id).update(name="Acme\nBcc: eve@evil.test")
    invited = invitation_create(access=access, email="dora@new.test", role=Role.VIEWER, actor=SYSTEM)
    invited.invitation.account.refresh_from_db()
    assert send_invitation(invited) is True
    (message,) = mail.outbox
    assert message.to == ["dora@new.test"]
    assert message.subject == "Stepwell: Acme Bcc: eve@evil.test invites you"
    assert f"\nhttps://stepwell.test/invite/{invited.token}\n" in str(message.body)
    server.IS_MAIL_CONFIGURED = False
    assert send_invitation(invited) is False
    assert len(mail.outbox) == 1
