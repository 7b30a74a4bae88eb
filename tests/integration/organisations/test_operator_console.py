"""What an operator does in the console: suspends, sets shares, and looks into an organisation."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.audit.models import ActorKind, AuditEntry
from apps.audit.services import INSTALLATION_ID
from apps.dashboard import support
from apps.identity.models import User
from apps.tenancy.models import Account, AccountStatus
from tests.integration.dashboard.pages import text
from tests.integration.identity.people import PASSWORD
from tests.integration.organisations.conftest import SignedIn

ACCOUNTS = "/admin/tenancy/account/"
PLACE = "/o/acme/env/production"


@pytest.fixture
def rex(server: object) -> User:
    """Operates the server, and is in no organisation."""
    return User.objects.create_superuser("rex@server.test", PASSWORD, name="Rex")


def _act(browser: Client, account: Account, action: str) -> str:
    """Chosen, asked for, and confirmed."""
    form = {"action": action, "_selected_action": [str(account.id)]}
    asked = browser.post(ACCOUNTS, form)
    assert asked.status_code == 200
    assert account.name in text(asked)
    response = browser.post(ACCOUNTS, form | {"confirmed": "yes"})
    assert response.status_code == 302
    return str(response["Location"])


def test_nothing_happens_before_it_is_confirmed(signed_in: SignedIn, rex: User, acme: Account) -> None:
    browser = signed_in(rex)
    for action in ("suspend", "unsuspend", "lift_networks", "look_into"):
        browser.post(ACCOUNTS, {"action": action, "_selected_action": [str(acme.id)]})
    acme.refresh_from_db()
    assert acme.status == AccountStatus.ACTIVE
    assert browser.get(f"{PLACE}/runs").status_code == 404
    assert not AuditEntry.objects.filter(account_id=acme.id, actor_label=rex.email).exists()


def test_suspending_needs_the_permission_to_change(
    signed_in: SignedIn, stranger: User, acme: Account
) -> None:
    Account.objects.filter(id=acme.id).update(allowed_networks=["192.0.2.0/24"])
    stranger.is_staff = True
    stranger.save()
    stranger.user_permissions.set(Permission.objects.filter(codename="view_account"))
    for action in ("suspend", "lift_networks"):
        form = {"action": action, "_selected_action": [str(acme.id)], "confirmed": "yes"}
        signed_in(stranger).post(ACCOUNTS, form)
    acme.refresh_from_db()
    assert (acme.status, acme.allowed_networks) == (AccountStatus.ACTIVE, ["192.0.2.0/24"])


def test_networks_are_lifted_where_there_are_any(signed_in: SignedIn, rex: User, acme: Account) -> None:
    browser = signed_in(rex)
    shown = text(browser.get(_act(browser, acme, "lift_networks")))
    assert "There was none that is active and bound to networks." in shown
    assert not AuditEntry.objects.filter(account_id=acme.id, action="account.networks").exists()


def test_suspending_and_back(signed_in: SignedIn, rex: User, acme: Account) -> None:
    browser = signed_in(rex)
    _act(browser, acme, "suspend")
    acme.refresh_from_db()
    assert acme.status == AccountStatus.SUSPENDED
    _act(browser, acme, "unsuspend")
    acme.refresh_from_db()
    assert acme.status == AccountStatus.ACTIVE
    actions = AuditEntry.objects.filter(account_id=acme.id, actor_label=rex.email).order_by("number")
    assert list(actions.values_list("action", flat=True)) == ["account.suspend", "account.unsuspend"]


def test_an_organisation_that_locked_itself_out_is_let_in(
    signed_in: SignedIn, rex: User, alice: User, acme: Account
) -> None:
    Account.objects.filter(id=acme.id).update(allowed_networks=["192.0.2.0/24"])
    owner, operator, page = signed_in(alice), signed_in(rex), f"{ACCOUNTS}{acme.id}/change/"
    assert owner.get(f"{PLACE}/runs").status_code == 403
    shown = text(operator.get(page))
    assert "192.0.2.0/24" in shown
    assert re.findall('name="action" value="(\\w+)"', shown) == ["suspend", "lift_networks", "look_into"]
    _act(operator, acme, "lift_networks")
    assert owner.get(f"{PLACE}/runs").status_code == 200
    entry = AuditEntry.objects.get(account_id=acme.id, action="account.networks")
    assert (entry.actor_label, entry.before, entry.after) == (
        rex.email,
        {"allowed_networks": ["192.0.2.0/24"]},
        {"allowed_networks": []},
    )


def test_a_page_offers_what_fits_its_organisation(signed_in: SignedIn, rex: User, acme: Account) -> None:
    browser, page = signed_in(rex), f"{ACCOUNTS}{acme.id}/change/"
    offered = 'name="action" value="(\\w+)"'
    assert re.findall(offered, text(browser.get(page))) == ["suspend", "look_into"]
    Account.objects.filter(id=acme.id).update(status=AccountStatus.SUSPENDED, allows_support_access=False)
    assert re.findall(offered, text(browser.get(page))) == ["unsuspend"]


def test_weight_and_limit_are_changed_on_record(signed_in: SignedIn, rex: User, acme: Account) -> None:
    form = {"weight": "5", "concurrency_limit": "20"}
    response = signed_in(rex).post(f"{ACCOUNTS}{acme.id}/change/", form)
    assert response.status_code == 302
    acme.refresh_from_db()
    assert (acme.weight, acme.concurrency_limit, acme.name) == (5, 20, "Acme")
    assert AuditEntry.objects.filter(account_id=acme.id, action="account.share").count() == 1


def test_nobody_locks_themselves_out(signed_in: SignedIn, rex: User, alice: User) -> None:
    browser = signed_in(rex)
    browser.post(f"/admin/identity/user/{rex.id}/change/", {"is_active": ""})
    browser.post(f"/admin/identity/user/{alice.id}/change/", {"is_staff": "on"})
    rex.refresh_from_db()
    alice.refresh_from_db()
    assert (rex.is_active, rex.is_staff) == (True, True)
    assert (alice.is_active, alice.is_staff) == (False, True)
    entry = AuditEntry.objects.get(account_id=INSTALLATION_ID, action="user.change")
    assert entry.target_label == alice.email


def test_staff_give_nobody_what_they_do_not_have(
    signed_in: SignedIn, rex: User, alice: User, stranger: User
) -> None:
    """With the permission to change users, they switch people off and on, superusers excepted."""
    stranger.is_staff = True
    stranger.save()
    stranger.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    browser = signed_in(stranger)
    form = {"is_active": "on", "is_staff": "on", "is_superuser": "on"}
    for user in (alice, stranger):
        browser.post(f"/admin/identity/user/{user.id}/change/", form)
        user.refresh_from_db()
        assert user.is_superuser is False
    assert alice.is_staff is False
    assert browser.post(f"/admin/identity/user/{rex.id}/change/", {"is_active": ""}).status_code == 403
    rex.refresh_from_db()
    assert (rex.is_active, rex.is_staff, rex.is_superuser) == (True, True, True)
    assert browser.post(f"/admin/identity/user/{alice.id}/change/", {"is_active": ""}).status_code == 302
    alice.refresh_from_db()
    assert alice.is_active is False


def test_superusers_make_superusers(signed_in: SignedIn, rex: User, alice: User) -> None:
    form = {"is_active": "on", "is_staff": "on", "is_superuser": "on"}
    signed_in(rex).post(f"/admin/identity/user/{alice.id}/change/", form)
    alice.refresh_from_db()
    assert (alice.is_staff, alice.is_superuser) == (True, True)


def test_a_look_is_read_only_and_on_record(signed_in: SignedIn, rex: User, acme: Account) -> None:
    browser = signed_in(rex)
    assert browser.get(f"{PLACE}/runs").status_code == 404
    assert _act(browser, acme, "look_into") == f"{PLACE}/runs"
    html = text(browser.get(f"{PLACE}/manage/keys"))
    assert "You look into Acme as an operator" in html
    assert "Reveal" not in html
    assert "New event key" not in html
    for path in ("/manage/keys/create", "/events/send", "/apps/add", "/manage/signing-key/create"):
        assert browser.post(f"{PLACE}{path}", {"name": "x"}).status_code == 403
    assert browser.post("/support/end")["Location"] == ACCOUNTS
    assert browser.get(f"{PLACE}/runs").status_code == 404
    entries = AuditEntry.objects.filter(account_id=acme.id, actor_kind=ActorKind.SUPPORT).order_by("number")
    assert list(entries.values_list("action", flat=True)) == ["support.start", "support.stop"]


def test_a_look_ends_by_itself(
    signed_in: SignedIn, rex: User, acme: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(support, "SECONDS", -1)
    browser = signed_in(rex)
    _act(browser, acme, "look_into")
    assert browser.get(f"{PLACE}/runs").status_code == 404


def test_an_organisation_may_refuse(signed_in: SignedIn, rex: User, acme: Account) -> None:
    browser = signed_in(rex)
    _act(browser, acme, "look_into")
    acme.allows_support_access = False
    acme.save()
    assert browser.get(f"{PLACE}/runs").status_code == 404
    assert _act(browser, acme, "look_into").startswith(ACCOUNTS)
    assert browser.get(f"{PLACE}/runs").status_code == 404


def test_a_member_needs_no_look(signed_in: SignedIn, alice: User, acme: Account) -> None:
    assert signed_in(alice).post("/support/end").status_code == 302
    assert not AuditEntry.objects.filter(actor_kind=ActorKind.SUPPORT).exists()
