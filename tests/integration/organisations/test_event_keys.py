import re
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.audit.actors import SYSTEM
from apps.audit.models import AuditEntry
from apps.credentials.models import EventKey
from apps.credentials.services import event_key_create, event_key_reveal
from apps.identity.models import User
from apps.tenancy.models import Account, Environment
from apps.tenancy.services.environments import environment_archive
from tests.integration.dashboard.pages import fragment, text
from tests.integration.organisations.conftest import SignedIn

PAGE = "/o/acme/env/production/manage/keys"


@pytest.fixture
def key(production: Environment) -> EventKey:
    return event_key_create(environment=production, name="Shop", actor=SYSTEM)


def _value(key: EventKey) -> str:
    return event_key_reveal(event_key=key, actor=SYSTEM)


def test_lists_and_pages_hold_no_key(signed_in: SignedIn, alice: User, key: EventKey) -> None:
    value = _value(key)
    for url in (PAGE, f"{PAGE}/{key.id}"):
        html = text(signed_in(alice).get(url))
        assert "Shop" in html
        assert value[:7] in html
        assert value not in html


def test_a_key_is_made_and_opened(signed_in: SignedIn, alice: User, production: Environment) -> None:
    response = signed_in(alice).post(f"{PAGE}/create", {"name": "Shop"})
    made = EventKey.objects.get(environment=production, name="Shop")
    assert response["Location"] == f"{PAGE}/{made.id}"
    assert made.created_by == alice


def test_revealing_is_on_record(signed_in: SignedIn, alice: User, key: EventKey) -> None:
    browser, url, value = signed_in(alice), f"{PAGE}/{key.id}/reveal", _value(key)
    reveals = AuditEntry.objects.filter(action="key.event.reveal").count
    before = reveals()
    headers = {"HX-Request": "true", "HX-Target": f"secret-{key.id}"}
    response = browser.post(url, headers=headers)
    assert value in text(response)
    assert "<html" not in text(response)
    assert response["Cache-Control"] == "no-store"
    plain = browser.post(url, headers={"Accept": "text/plain"})
    assert (text(plain), plain["Content-Type"]) == (value, "text/plain")
    assert value in text(browser.post(url))
    assert reveals() == before + 3
    assert browser.get(url).status_code == 405


@pytest.mark.parametrize("name", ["bob", "viewer", "operator"])
def test_others_neither_reveal_nor_change(
    signed_in: SignedIn, request: pytest.FixtureRequest, key: EventKey, name: str
) -> None:
    browser = signed_in(request.getfixturevalue(name))
    value, count = _value(key), AuditEntry.objects.count()
    for action in ("reveal", "rename", "revoke", "filter"):
        response = browser.post(f"{PAGE}/{key.id}/{action}", {"name": "Mine"})
        assert response.status_code == 403
        assert value not in text(response)
    assert browser.post(f"{PAGE}/create", {"name": "Mine"}).status_code == 403
    key.refresh_from_db()
    assert (key.name, key.revoked_at) == ("Shop", None)
    assert AuditEntry.objects.count() == count


def test_a_viewer_sees_no_controls_and_a_developer_learns_who_can(
    signed_in: SignedIn, viewer: User, bob: User, key: EventKey
) -> None:
    assert "Reveal" not in text(signed_in(viewer).get(PAGE))
    html = text(signed_in(bob).get(PAGE))
    assert 'aria-disabled="true" title="This needs the permission key.event.reveal' in html
    assert "New event key" not in html


def test_the_filter_is_saved_and_a_bad_one_refused(signed_in: SignedIn, alice: User, key: EventKey) -> None:
    browser, url = signed_in(alice), f"{PAGE}/{key.id}/filter"
    browser.post(url, {"mode": "allow", "events": "orders/*\r\nuser/created", "ips": "10.0.0.0/8"})
    key.refresh_from_db()
    assert (key.filter_mode, key.filter_events) == ("allow", ["orders/*", "user/created"])
    refused = browser.post(url, {"mode": "deny", "events": "a/b", "ips": "192.0.2.1\r\nnowhere"})
    html = text(refused)
    assert (refused.status_code, "is neither an address nor a network" in html) == (422, True)
    assert re.findall(r'<textarea[^>]* name="(\w+)"[^>]* aria-invalid="true" autofocus', html) == ["ips"]
    assert "192.0.2.1\r\nnowhere</textarea>" in html
    assert ">a/b</textarea>" in html
    key.refresh_from_db()
    assert key.filter_mode == "allow"
    assert key.filter_ips == ["10.0.0.0/8"]


def test_revoking_now_and_later(signed_in: SignedIn, alice: User, key: EventKey) -> None:
    browser, url = signed_in(alice), f"{PAGE}/{key.id}/revoke"
    assert "Revoke Shop?" in text(fragment(browser, url, "dialog-body"))
    browser.post(url, {"hours": "24"})
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert timedelta(hours=23) < key.revoked_at - timezone.now() < timedelta(hours=25)
    browser.post(url)
    assert browser.get(f"{PAGE}/{key.id}").status_code == 404


def test_a_branch_leads_to_the_shared_keys(signed_in: SignedIn, alice: User, branch: Environment) -> None:
    browser = signed_in(alice)
    for page in ("keys", "signing-key", "webhooks"):
        html = text(browser.get(f"/o/acme/env/{branch.slug}/manage/{page}"))
        assert f'href="/o/acme/env/branch/manage/{page}"' in html
    response = browser.post(f"/o/acme/env/{branch.slug}/manage/keys/create", {"name": "Mine"})
    assert response.status_code == 200
    assert not EventKey.objects.filter(name="Mine").exists()


def test_nothing_is_made_in_an_archived_environment(
    signed_in: SignedIn, alice: User, staging: Environment
) -> None:
    environment_archive(environment=staging, actor=SYSTEM)
    browser, url = signed_in(alice), "/o/acme/env/staging/manage/keys"
    assert 'title="The environment is archived.' in text(browser.get(url))
    assert browser.post(f"{url}/create", {"name": "Mine"}).status_code == 422


def test_a_key_of_elsewhere_is_not_there(
    signed_in: SignedIn, alice: User, elsewhere: Account, staging: Environment
) -> None:
    foreign = elsewhere.environments.get(slug="production").event_keys.get()
    beside = staging.event_keys.get()
    for other in (foreign, beside):
        assert signed_in(alice).post(f"{PAGE}/{other.id}/reveal").status_code == 404
