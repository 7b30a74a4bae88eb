"""How long sessions of members last, and from where members see an organisation (spec 05, 2.7)."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.db.models import F
from django.test import Client

from apps.audit.actors import SYSTEM
from apps.audit.models import AuditEntry
from apps.credentials.services import organisation_provision
from apps.identity.models import User
from apps.tenancy.models import Account, Membership, Role
from apps.tenancy.services import accounts
from tests.integration.identity.people import Visitor, sign_in, user_id_of

RUNS = "/o/acme/env/production/runs"
GENERAL = "/o/acme/settings/general"
ELSEWHERE = "198.51.100.7"


@pytest.fixture
def page(browser: Client, bob: User) -> Client:
    """The browser of a member."""
    sign_in(browser, bob.email)
    assert browser.get(RUNS).status_code == 200
    return browser


def limit(account: Account, *, hours: int | None = None, idle_minutes: int | None = None) -> None:
    accounts.account_set_session_hours(account=account, hours=hours, actor=SYSTEM)
    accounts.account_set_idle_minutes(account=account, minutes=idle_minutes, actor=SYSTEM)


def to_sign_in(path: str) -> str:
    return f"/sign-in?{urlencode({'next': path})}"


def later(client: Client, minutes: int) -> None:
    """As if that much time had passed since all that the client did."""
    session = client.session
    for step in session["account_authentication_methods"]:
        step["at"] -= minutes * 60
    session.save()
    past = timedelta(minutes=minutes)
    UserSession.objects.filter(session_key=session.session_key).update(
        created_at=F("created_at") - past, last_seen_at=F("last_seen_at") - past
    )
    cache.clear()


def test_a_session_ends_so_many_hours_after_it_began(page: Client, acme: Account) -> None:
    limit(acme, hours=2)
    for _ in range(3):
        later(page, 39)
        assert page.get(RUNS).status_code == 200
    later(page, 4)
    assert page.get(RUNS)["Location"] == to_sign_in(RUNS)
    assert user_id_of(page) is None


def test_an_idle_session_ends_wherever_it_is_used_again(page: Client, acme: Account) -> None:
    limit(acme, idle_minutes=15)
    later(page, 14)
    assert page.get("/orgs").status_code == 200
    later(page, 14)
    assert page.get(RUNS).status_code == 200
    later(page, 16)
    assert page.get("/orgs")["Location"] == to_sign_in("/orgs")
    assert user_id_of(page) is None
    assert AuditEntry.objects.filter(account_id=acme.id, action="user.sign_out").count() == 1


def test_a_page_that_updates_itself_is_idle(page: Client, acme: Account) -> None:
    limit(acme, idle_minutes=15)
    background: dict[str, Any] = {"HTTP_X_STEPWELL_BACKGROUND": "1", "HTTP_HX_REQUEST": "true"}
    later(page, 10)
    assert page.get(RUNS, **background).status_code == 200
    later(page, 6)
    answer = page.get(RUNS, **background)
    assert (answer.status_code, answer["HX-Redirect"]) == (401, to_sign_in(RUNS))


def test_other_organisations_are_not_concerned(page: Client, acme: Account, stranger: User) -> None:
    limit(acme, idle_minutes=15)
    other = Visitor()
    sign_in(other, stranger.email)
    later(other, 60)
    assert other.get("/orgs").status_code == 200


def test_members_see_it_from_its_networks_only(page: Client, acme: Account) -> None:
    accounts.account_set_networks(account=acme, text="127.0.0.0/8", actor=SYSTEM)
    assert page.get(RUNS).status_code == 200
    outside: dict[str, Any] = {"REMOTE_ADDR": ELSEWHERE}
    refused = page.get(RUNS, **outside)
    assert refused.status_code == 403
    assert "can only be seen from its own networks" in refused.content.decode()
    assert page.get(GENERAL, **outside).status_code == 403
    assert page.get("/orgs", **outside).status_code == 200
    assert page.get("/o/nowhere/settings/general", **outside).status_code == 404


def test_its_single_sign_on_is_not_set_up_from_outside(browser: Client, alice: User, acme: Account) -> None:
    accounts.account_set_networks(account=acme, text="127.0.0.1", actor=SYSTEM)
    sign_in(browser, alice.email)
    assert browser.get("/orgs/acme/sso").status_code == 200
    assert browser.get("/orgs/acme/sso", REMOTE_ADDR=ELSEWHERE).status_code == 403


def test_the_settings_page_keeps_them(browser: Client, alice: User, acme: Account) -> None:
    sign_in(browser, alice.email)
    given = {"session-hours": "12", "idle-minutes": "30", "networks": "127.0.0.1\n192.0.2.9/24"}
    for what, value in given.items():
        assert browser.post(f"{GENERAL}/{what}", {"value": value})["Location"] == GENERAL
    acme.refresh_from_db()
    assert (acme.session_hours, acme.session_idle_minutes) == (12, 30)
    assert acme.allowed_networks == ["127.0.0.1/32", "192.0.2.0/24"]
    shown = browser.get(GENERAL).content.decode()
    assert "127.0.0.1/32\n192.0.2.0/24</textarea>" in shown
    for what in given:
        browser.post(f"{GENERAL}/{what}", {"value": ""})
    acme.refresh_from_db()
    assert (acme.session_hours, acme.session_idle_minutes, acme.allowed_networks) == (None, None, [])


@pytest.mark.parametrize(
    ("what", "value", "reason"),
    [
        ("session-hours", "0", "Sessions last 1 to 8,760 hours"),
        ("session-hours", "8761", "Sessions last 1 to 8,760 hours"),
        ("idle-minutes", "4", "Sessions last 1 to 8,760 hours"),
        ("idle-minutes", "x", "Sessions last 1 to 8,760 hours"),
        ("networks", "example.com", "example.com is neither an address nor a range"),
        ("networks", "192.0.2.0/24", "you would lock yourself out"),
    ],
)
def test_what_makes_no_sense_is_refused(
    browser: Client, alice: User, acme: Account, what: str, value: str, reason: str
) -> None:
    sign_in(browser, alice.email)
    answer = browser.post(f"{GENERAL}/{what}", {"value": value})
    assert (answer.status_code, reason in answer.content.decode()) == (422, True)
    acme.refresh_from_db()
    assert (acme.session_hours, acme.session_idle_minutes, acme.allowed_networks) == (None, None, [])


def test_the_end_is_on_record_in_each_organisation_of_the_person(
    page: Client, acme: Account, bob: User, stranger: User
) -> None:
    """The page is of one of them, and PostgreSQL shows that one only."""
    other = organisation_provision(name="Elsewhere", owner=stranger, actor=SYSTEM)
    Membership.objects.create(account=other, user=bob, role=Role.VIEWER)
    limit(acme, hours=1)
    later(page, 61)
    assert page.get(RUNS)["Location"] == to_sign_in(RUNS)
    assert user_id_of(page) is None
    ended = AuditEntry.objects.filter(action="user.sign_out")
    assert {entry.account_id for entry in ended} == {acme.id, other.id}
