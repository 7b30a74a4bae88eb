"""General settings, API keys and the audit log."""

import json
import re

import pytest

from apps.audit.actors import SYSTEM
from apps.audit.models import AuditEntry
from apps.credentials.models import ApiKey
from apps.identity.models import User
from apps.tenancy.models import Account, AccountStatus, Environment
from apps.tenancy.services.accounts import account_suspend
from tests.integration.dashboard.pages import text
from tests.integration.identity.people import with_totp
from tests.integration.organisations.conftest import SignedIn

GENERAL = "/o/acme/settings/general"
KEYS = "/o/acme/settings/api-keys"
AUDIT = "/o/acme/settings/audit"


def test_settings_are_saved(signed_in: SignedIn, alice: User, acme: Account) -> None:
    browser = signed_in(alice)
    changes = {"name": "Acme & Sons", "security-email": "sec@acme.test", "branch-days": "9", "support": ""}
    for what, value in changes.items():
        assert browser.post(f"{GENERAL}/{what}", {"value": value})["Location"] == GENERAL
    acme.refresh_from_db()
    assert (acme.name, acme.slug, acme.security_email) == ("Acme & Sons", "acme", "sec@acme.test")
    assert (acme.branch_archive_days, acme.allows_support_access) == (9, False)


@pytest.mark.parametrize(
    ("what", "typed", "reason"),
    [
        ("branch-days", "91", "Branches are archived 1 to 90 days after their latest sync."),
        ("networks", "banana", "neither an address nor a range"),
        ("security-email", "nobody", "This is not an e-mail address."),
    ],
)
def test_what_is_refused_stands_at_its_field_as_it_was_typed(
    signed_in: SignedIn, alice: User, acme: Account, what: str, typed: str, reason: str
) -> None:
    answer = signed_in(alice).post(f"{GENERAL}/{what}", {"value": typed})
    html = text(answer)
    assert answer.status_code == 422
    field = re.search(rf'<(?:input|textarea)[^>]* id="org-{what}"[^>]*>[^<]*', html)
    assert field is not None
    assert typed in field[0]
    assert f'aria-invalid="true" autofocus aria-describedby="org-{what}-error org-{what}-hint"' in field[0]
    problem = re.search(rf'id="org-{what}-error".*?</p>', html, re.DOTALL)
    assert problem is not None
    assert reason in problem[0]
    assert html.count("aria-invalid") == 1


def test_two_factors_are_required_by_one_who_has_them(
    signed_in: SignedIn, alice: User, acme: Account
) -> None:
    browser = signed_in(alice)
    browser.post(f"{GENERAL}/two-factor", {"value": "1"})
    assert "Set up a second factor for yourself first" in text(browser.get(GENERAL))
    acme.refresh_from_db()
    assert acme.requires_two_factor is False
    with_totp(alice)
    browser.post(f"{GENERAL}/two-factor", {"value": "1"})
    acme.refresh_from_db()
    assert acme.requires_two_factor is True


def test_deleting_takes_the_name_and_can_be_undone(signed_in: SignedIn, alice: User, acme: Account) -> None:
    browser = signed_in(alice)
    assert browser.post(f"{GENERAL}/delete", {"name": "acme"}).status_code == 422
    browser.post(f"{GENERAL}/delete", {"name": "Acme"})
    acme.refresh_from_db()
    assert acme.status == AccountStatus.DELETING
    html = text(browser.get("/o/acme/env/production/runs"))
    assert "This organisation is deleted on" in html
    assert browser.post(f"{GENERAL}/name", {"value": "Other"}).status_code == 403
    browser.post(f"{GENERAL}/undo")
    acme.refresh_from_db()
    assert (acme.status, acme.name) == (AccountStatus.ACTIVE, "Acme")


@pytest.mark.parametrize("name", ["bob", "viewer", "auditor"])
def test_others_change_no_setting(
    signed_in: SignedIn, request: pytest.FixtureRequest, acme: Account, name: str
) -> None:
    browser = signed_in(request.getfixturevalue(name))
    assert "Save name" not in text(browser.get(GENERAL))
    for path in ("name", "two-factor", "support", "delete", "undo"):
        assert browser.post(f"{GENERAL}/{path}", {"value": "x", "name": "Acme"}).status_code == 403
    acme.refresh_from_db()
    assert (acme.name, acme.status) == ("Acme", AccountStatus.ACTIVE)


def test_an_admin_does_not_delete(signed_in: SignedIn, admin: User, acme: Account) -> None:
    browser = signed_in(admin)
    assert f"{GENERAL}/delete" not in text(browser.get(GENERAL))
    assert browser.post(f"{GENERAL}/delete", {"name": "Acme"}).status_code == 403


def test_a_suspended_organisation_can_be_read_and_not_changed(
    signed_in: SignedIn, alice: User, acme: Account
) -> None:
    account_suspend(account=acme, actor=SYSTEM)
    browser = signed_in(alice)
    html = text(browser.get("/o/acme/env/production/manage/keys"))
    assert "This organisation is suspended." in html
    assert 'aria-disabled="true" title="The organisation is suspended' in html
    assert browser.post(f"{GENERAL}/name", {"value": "Other"}).status_code == 403


def test_an_api_key_is_shown_once(
    signed_in: SignedIn, alice: User, acme: Account, production: Environment
) -> None:
    browser = signed_in(alice)
    values = {"name": "CI", "environment": str(production.id), "preset": "deploy", "lifetime": "30"}
    html = text(browser.post(f"{KEYS}/create", values))
    key = ApiKey.objects.get()
    assert "sk-inn-api-" in html
    assert (key.environment, key.permissions) == (production, ["app.archive", "app.sync", "view"])
    assert key.expires_at is not None
    listed = text(browser.get(KEYS))
    assert "CI" in listed
    assert key.preview in listed
    plaintext = html.split('id="api-key-value">')[1].split("<")[0]
    assert plaintext not in listed
    taken = browser.post(f"{KEYS}/create", values)
    assert "Another API key has this name." in text(taken)
    browser.post(f"{KEYS}/{key.id}/rename", {"name": "Deploys"})
    browser.post(f"{KEYS}/{key.id}/revoke")
    key.refresh_from_db()
    assert (key.name, key.revoked_at is None) == ("Deploys", False)


def test_an_api_key_may_exactly_what_was_ticked(
    signed_in: SignedIn, alice: User, acme: Account, production: Environment
) -> None:
    browser = signed_in(alice)
    values = {"name": "Nightly", "environment": str(production.id), "preset": "custom", "lifetime": ""}
    ticked = values | {"permissions": ["run.cancel", "event.send"]}
    html = text(browser.post(f"{KEYS}/create", ticked))
    key = ApiKey.objects.get()
    assert key.permissions == ["event.send", "run.cancel"]
    listed = text(browser.get(KEYS))
    assert "2 permissions" in listed
    assert "<span>event.send</span>" in listed
    plaintext = html.split('id="api-key-value">')[1].split("<")[0]
    refused = browser.get("/v1/events", headers={"Authorization": f"Bearer {plaintext}"})
    assert refused.status_code == 403
    assert refused.json()["error"] == "The credential lacks the permission data.read"
    (entry,) = AuditEntry.objects.filter(account_id=acme.id, action="key.api.create")
    assert entry.after["permissions"] == ["event.send", "run.cancel"]


@pytest.mark.parametrize("ticked", [[], ["member.manage"], ["event.send", "everything"]])
def test_an_api_key_needs_permissions_that_keys_may_have(
    signed_in: SignedIn, alice: User, acme: Account, ticked: list[str]
) -> None:
    values = {"name": "Nightly", "environment": "all", "preset": "custom", "permissions": ticked}
    refused = signed_in(alice).post(f"{KEYS}/create", values)
    assert refused.status_code == 422
    assert "A key needs at least one permission, and only ones that keys may have." in text(refused)
    assert not ApiKey.objects.exists()


def test_ticks_beside_a_preset_count_for_nothing(signed_in: SignedIn, alice: User, acme: Account) -> None:
    values = {"name": "CI", "environment": "all", "preset": "ingest", "permissions": ["run.cancel"]}
    assert signed_in(alice).post(f"{KEYS}/create", values).status_code == 200
    assert ApiKey.objects.get().permissions == ["event.send"]


def test_api_keys_are_for_admins(
    signed_in: SignedIn, bob: User, acme: Account, elsewhere: Account, alice: User
) -> None:
    browser = signed_in(bob)
    assert "New API key" not in text(browser.get(KEYS))
    assert browser.post(f"{KEYS}/create", {"name": "CI", "environment": "all"}).status_code == 403
    foreign = elsewhere.environments.get(slug="production")
    response = signed_in(alice).post(f"{KEYS}/create", {"name": "CI", "environment": str(foreign.id)})
    assert response.status_code == 404
    assert not ApiKey.objects.exists()


def test_the_audit_log_is_filtered_and_paged(signed_in: SignedIn, auditor: User, alice: User) -> None:
    signed_in(alice).post(f"{GENERAL}/name", {"value": "Acme 2"})
    browser = signed_in(auditor)
    html = text(browser.get(f"{AUDIT}?family=account&actor=user"))
    assert "account.rename" in html
    assert "Acme 2" in html
    assert "key.event.create" not in html
    assert "No entries" in text(browser.get(f"{AUDIT}?q=nobody-did-this"))
    assert browser.get(f"{AUDIT}?after=x").status_code == 404


def test_the_audit_log_is_exported_on_record(signed_in: SignedIn, auditor: User, acme: Account) -> None:
    response = signed_in(auditor).post(f"{AUDIT}/export", {"format": "jsonl", "family": "account"})
    lines = [json.loads(line) for line in response.getvalue().decode().splitlines()]
    assert [line["action"] for line in lines] == ["account.create"]
    assert AuditEntry.objects.filter(account_id=acme.id, action="audit.export").count() == 1
    assert signed_in(auditor).post(f"{AUDIT}/export", {"format": "exe"}).status_code == 404


@pytest.mark.parametrize("name", ["bob", "viewer", "operator"])
def test_the_audit_log_is_for_few(
    signed_in: SignedIn, request: pytest.FixtureRequest, acme: Account, name: str
) -> None:
    browser = signed_in(request.getfixturevalue(name))
    assert browser.get(AUDIT).status_code == 403
    assert browser.post(f"{AUDIT}/export", {"format": "csv"}).status_code == 403
    assert "Audit log" not in text(browser.get("/o/acme/env"))
    assert not AuditEntry.objects.filter(account_id=acme.id, action="audit.export").exists()
