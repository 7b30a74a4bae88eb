import re

from django.test import Client

from apps.audit.models import AuditEntry
from apps.identity.models import User
from apps.tenancy.models import Account, Environment, Membership
from tests.integration.dashboard.pages import fragment, text
from tests.integration.organisations.conftest import SignedIn

PAGE = "/o/acme/env"


def test_an_environment_is_made_with_its_keys(signed_in: SignedIn, alice: User, acme: Account) -> None:
    response = signed_in(alice).post("/o/acme/create-environment", {"name": "Staging"})
    assert response["Location"] == PAGE
    made = acme.environments.get(slug="staging")
    assert made.event_keys.filter(is_default=True).count() == 1
    assert made.signing_keys.filter(state="active").count() == 1


def test_a_bad_name_stays_in_the_form(signed_in: SignedIn, alice: User, acme: Account) -> None:
    response = signed_in(alice).post("/o/acme/create-environment", {"name": " "})
    assert response.status_code == 422
    assert 'role="alert"' in text(response)
    assert acme.environments.count() == 2


def test_a_developer_makes_and_archives_none(signed_in: SignedIn, bob: User, staging: Environment) -> None:
    browser = signed_in(bob)
    for url in ("/o/acme/create-environment", f"/o/acme/environments/{staging.id}/archive"):
        response = browser.post(url, {"name": "More"})
        assert response.status_code == 403
        assert "environment.manage" in text(response)
    staging.refresh_from_db()
    assert not staging.is_archived
    html = text(browser.get(PAGE))
    assert "Staging" in html
    assert "New environment" not in html
    assert ">Archive<" not in html


def test_archiving_and_back(signed_in: SignedIn, alice: User, staging: Environment) -> None:
    browser = signed_in(alice)
    url = f"/o/acme/environments/{staging.id}"
    assert "Archive Staging?" in text(browser.get(f"{url}/archive"))
    browser.post(f"{url}/archive")
    assert "Staging" not in _list(browser, PAGE)
    assert "Staging" in _list(browser, f"{PAGE}?archived=1")
    banner = text(browser.get("/o/acme/env/staging/runs"))
    assert "This environment is archived." in banner
    browser.post(f"{url}/unarchive")
    staging.refresh_from_db()
    assert staging.archived_at is None
    actions = AuditEntry.objects.filter(target_id=str(staging.id)).values_list("action", flat=True)
    assert list(actions.order_by("number"))[-2:] == ["environment.archive", "environment.unarchive"]


def _list(browser: Client, url: str) -> str:
    """The list alone: the switcher of the shell names environments too."""
    return text(fragment(browser, url, "environments-list"))


def test_the_switch_of_a_branch(signed_in: SignedIn, alice: User, branch: Environment) -> None:
    browser = signed_in(alice)
    assert 'aria-checked="true"' in _list(browser, PAGE)
    browser.post(f"/o/acme/environments/{branch.id}/auto", {"is_on": "0"})
    branch.refresh_from_db()
    assert branch.is_auto_archived is False
    assert 'aria-checked="false"' in _list(browser, PAGE)


def test_only_what_matches_is_listed(signed_in: SignedIn, alice: User, staging: Environment) -> None:
    html = _list(signed_in(alice), f"{PAGE}?q=stag")
    assert "Staging" in html
    assert ">Production<" not in html


def test_an_environment_of_elsewhere_is_not_there(
    signed_in: SignedIn, alice: User, elsewhere: Account
) -> None:
    foreign = elsewhere.environments.get(slug="production")
    response = signed_in(alice).post(f"/o/acme/environments/{foreign.id}/archive")
    assert response.status_code == 404


def test_a_restricted_member_sees_only_theirs(
    signed_in: SignedIn, bob: User, acme: Account, staging: Environment
) -> None:
    membership = Membership.objects.get(account=acme, user=bob)
    membership.is_restricted = True
    membership.save()
    membership.environments.set([staging])
    browser = signed_in(bob)
    html = text(browser.get(PAGE))
    assert "Staging" in html
    assert "/o/acme/env/production" not in html
    assert browser.get("/o/acme/env/production/runs").status_code == 404


def test_the_settings_of_an_environment(signed_in: SignedIn, alice: User, staging: Environment) -> None:
    browser = signed_in(alice)
    url = "/o/acme/env/staging/settings"
    for what, value in (("name", "Quality"), ("colour", "green"), ("weight", "7")):
        assert browser.post(f"{url}/{what}", {"value": value})["Location"] == url
    staging.refresh_from_db()
    assert (staging.name, staging.colour, staging.weight, staging.slug) == ("Quality", "green", 7, "staging")
    assert "A weight is a number from 1 to 1000." in text(browser.post(f"{url}/weight", {"value": "0"}))
    assert browser.post(f"{url}/nonsense", {"value": "0"}).status_code == 404


def test_a_refused_setting_stays_as_it_was_typed(
    signed_in: SignedIn, alice: User, staging: Environment
) -> None:
    browser, url = signed_in(alice), "/o/acme/env/staging/settings"
    for what, typed in (("weight", "9999"), ("name", "a" * 300)):
        response = browser.post(f"{url}/{what}", {"value": typed})
        html = text(response)
        assert response.status_code == 422
        assert f'id="env-{what}-error" role="alert"' in html
        assert re.search(rf'id="env-{what}"[^>]* value="{typed}"[^>]* aria-invalid="true"', html)
    staging.refresh_from_db()
    assert (staging.name, staging.weight) == ("Staging", 1)
    assert "<h1>Environment</h1><p>Of Staging" in html


def test_settings_are_read_only_for_a_viewer(signed_in: SignedIn, viewer: User, staging: Environment) -> None:
    browser = signed_in(viewer)
    html = text(browser.get("/o/acme/env/staging/settings"))
    assert "readonly" in html
    assert "Save name" not in html
    assert browser.post("/o/acme/env/staging/settings/name", {"value": "Mine"}).status_code == 403
    staging.refresh_from_db()
    assert staging.name == "Staging"
