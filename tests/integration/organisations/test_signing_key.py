import pytest

from apps.credentials.models import SigningKey, SigningKeyState
from apps.identity.models import User
from apps.registry.models import App
from apps.tenancy.models import Environment
from tests.integration.dashboard.pages import fragment, text
from tests.integration.organisations.conftest import SignedIn

PAGE = "/o/acme/env/production/manage/signing-key"


def _states(environment: Environment) -> list[str]:
    return sorted(SigningKey.objects.filter(environment=environment).values_list("state", flat=True))


@pytest.fixture
def app(production: Environment) -> App:
    return App.objects.create(
        account_id=production.account_id,
        environment_id=production.id,
        name="shop",
        url="http://shop.test/api/inngest",
        normalised_url="http://shop.test/api/inngest",
        sdk_language="py",
        sdk_version="0.5.0",
    )


def test_a_rotation_from_end_to_end(signed_in: SignedIn, alice: User, production: Environment) -> None:
    browser = signed_in(alice)
    assert "Create new key" in text(browser.get(PAGE))
    browser.post(f"{PAGE}/create")
    assert _states(production) == ["active", "pending"]
    html = text(browser.get(PAGE))
    assert "Delete the new key" in html
    assert "No app uses this environment&#x27;s keys yet" in html or "No app uses this environment's" in html
    pending = SigningKey.objects.get(environment=production, state=SigningKeyState.PENDING)
    browser.post(f"{PAGE}/rotate", {"grace": "24"})
    pending.refresh_from_db()
    assert pending.state == SigningKeyState.ACTIVE
    assert _states(production) == ["active", "retired"]
    retired = SigningKey.objects.get(environment=production, state=SigningKeyState.RETIRED)
    assert "Accepted, and signs nothing." in text(browser.get(PAGE))
    browser.post(f"{PAGE}/{retired.id}/revoke")
    assert "Accepted, and signs nothing." not in text(browser.get(PAGE))


def test_apps_that_are_not_ready_hold_the_rotation_back(
    signed_in: SignedIn, alice: User, production: Environment, app: App
) -> None:
    browser = signed_in(alice)
    browser.post(f"{PAGE}/create")
    table = text(fragment(browser, PAGE, "signing-key-readiness"))
    assert "shop" in table
    assert "Not seen yet" in table
    response = browser.post(f"{PAGE}/rotate", {"grace": "24"})
    assert response.status_code == 422
    assert "Not every app uses the new key yet." in text(response)
    assert _states(production) == ["active", "pending"]
    browser.post(f"{PAGE}/rotate", {"grace": "0", "override": "1"})
    assert _states(production) == ["active", "retired"]


def test_an_emergency_needs_a_reason(signed_in: SignedIn, alice: User, production: Environment) -> None:
    browser = signed_in(alice)
    browser.post(f"{PAGE}/create")
    refused = browser.post(f"{PAGE}/rotate", {"emergency": "1"})
    assert "An emergency rotation needs a reason." in text(refused)
    browser.post(f"{PAGE}/rotate", {"emergency": "1", "reason": "It was in a log"})
    assert "Old keys" not in text(browser.get(PAGE))


def test_the_new_key_can_be_deleted(signed_in: SignedIn, alice: User, production: Environment) -> None:
    browser = signed_in(alice)
    browser.post(f"{PAGE}/create")
    browser.post(f"{PAGE}/delete")
    assert _states(production) == ["active"]
    assert "There is no new signing key" in text(browser.post(f"{PAGE}/delete"))


def test_the_key_is_revealed_on_record(signed_in: SignedIn, admin: User, production: Environment) -> None:
    key = SigningKey.objects.get(environment=production)
    response = signed_in(admin).post(f"{PAGE}/{key.id}/reveal", headers={"Accept": "text/plain"})
    assert text(response).startswith("signkey-prod-")
    assert text(response) not in text(signed_in(admin).get(PAGE))


@pytest.mark.parametrize("name", ["bob", "viewer", "operator", "auditor"])
def test_others_change_nothing(
    signed_in: SignedIn, request: pytest.FixtureRequest, production: Environment, name: str
) -> None:
    browser, key = signed_in(request.getfixturevalue(name)), SigningKey.objects.get(environment=production)
    for action in ("create", "delete", "rotate", f"{key.id}/reveal", f"{key.id}/revoke"):
        assert browser.post(f"{PAGE}/{action}", {"override": "1"}).status_code == 403
    assert _states(production) == ["active"]
    assert "Create new key" not in text(browser.get(PAGE))
