"""Another service asks for a webhook, and a person approves it (spec 05, 2.5)."""

from urllib.parse import parse_qs, quote, urlsplit

import pytest

from apps.audit.actors import SYSTEM
from apps.audit.models import AuditEntry
from apps.credentials.models import EventKey
from apps.credentials.secrets import decrypt
from apps.identity.models import User
from apps.tenancy.models import Account, Environment, Membership, Role
from apps.tenancy.services.environments import environment_archive
from apps.webhooks.models import Webhook
from apps.webhooks.presets import intent_transform
from tests.integration.dashboard.pages import text
from tests.integration.identity.people import Visitor
from tests.integration.organisations.conftest import SignedIn

BACK = "https://billing.example/done?state=7"
ASKED = {"name": "Acme Billing", "redirect_uri": BACK}
QUERY = f"name=Acme+Billing&redirect_uri={quote(BACK, safe='')}"
SHORT = f"/intent/create-webhook?{QUERY}"
PAGE = "/o/acme/env/production/intent/create-webhook"
APPROVE = f"{PAGE}/approve"
STAGING = "/o/acme/env/staging/intent/create-webhook"


def test_one_has_to_sign_in_first(acme: Account) -> None:
    response = Visitor().get(SHORT)
    assert response["Location"] == f"/sign-in?next={quote(SHORT, safe='')}"


def test_the_link_leads_to_the_place_used_last(
    signed_in: SignedIn, alice: User, staging: Environment
) -> None:
    browser = signed_in(alice)
    assert browser.get(SHORT)["Location"] == f"{PAGE}?{QUERY}"
    browser.get("/o/acme/env/staging/runs")
    assert browser.get(SHORT)["Location"] == f"{STAGING}?{QUERY}"


def test_the_page_says_who_asks_and_where_it_goes(signed_in: SignedIn, alice: User, acme: Account) -> None:
    response = signed_in(alice).get(PAGE, ASKED)
    html = text(response)
    assert "<h1>Acme Billing wants to send events here</h1>" in html
    assert ">billing.example</strong>" in html
    assert 'value="acme-billing"' in html
    assert 'href="https://billing.example/done?state=7&amp;error=user_cancelled"' in html
    assert response["Cache-Control"] == "no-store"
    assert "form-action 'self' https:;" in f"{response['Content-Security-Policy']};"
    assert not Webhook.objects.exists()


def test_a_domain_that_is_not_where_it_goes_is_pointed_out(
    signed_in: SignedIn, alice: User, acme: Account
) -> None:
    browser = signed_in(alice)
    warning = "The link speaks of other.example, and the URL would go to billing.example."
    assert warning in text(browser.get(PAGE, {"domain": "other.example", "redirect_uri": BACK}))
    assert "The link speaks of" not in text(
        browser.get(PAGE, {"domain": "billing.example", "redirect_uri": BACK})
    )


def test_approving_makes_the_webhook_and_hands_over_its_url(
    signed_in: SignedIn, alice: User, acme: Account
) -> None:
    response = signed_in(alice).post(APPROVE, {**ASKED, "prefix": "billing"})
    hook = Webhook.objects.select_related("key").get()
    url = f"http://testserver/e/{decrypt(hook.key.value_encrypted)}"
    assert response.status_code == 302
    assert response["Location"].partition("?")[0] == "https://billing.example/done"
    assert parse_qs(urlsplit(response["Location"]).query) == {"state": ["7"], "url": [url]}
    assert (response["Cache-Control"], response["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert (hook.name, hook.transform) == ("Acme Billing", intent_transform("billing"))
    recorded = AuditEntry.objects.filter(account_id=acme.id, actor_id=str(alice.id), target_id=str(hook.id))
    assert set(recorded.values_list("action", flat=True)) == {"webhook.create", "webhook.reveal"}


def test_a_wrong_prefix_is_told_beside_its_field(signed_in: SignedIn, alice: User, acme: Account) -> None:
    response = signed_in(alice).post(APPROVE, {**ASKED, "prefix": "Not a slug"})
    assert response.status_code == 422
    assert 'value="Not a slug"' in text(response)
    assert 'id="intent-prefix-error"' in text(response)
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"name": "Acme"},
        {"redirect_uri": BACK},
        {"name": "Acme", "redirect_uri": "http://evil.example/"},
        {"name": "Acme", "redirect_uri": "//evil.example/"},
        {"name": "Acme", "redirect_uri": "javascript:alert(1)"},
        {"name": "Acme", "redirect_uri": "https://billing.example\\@evil.example/"},
        {"name": "Acme", "redirect_uri": "https://billing.example@evil.example/"},
        {"domain": "evil example", "redirect_uri": BACK},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("get", PAGE), ("post", APPROVE)])
def test_a_broken_link_leads_nowhere(
    signed_in: SignedIn, alice: User, acme: Account, sent: dict[str, str], method: str, path: str
) -> None:
    response = getattr(signed_in(alice), method)(path, {**sent, "prefix": "acme"})
    assert (response.status_code, "Location" in response) == (422, False)
    assert "This link does not work" in text(response)
    assert "evil.example" not in text(response)
    assert "form-action 'self';" in f"{response['Content-Security-Policy']};"
    assert not EventKey.objects.filter(source="webhook").exists()


def test_the_form_may_only_lead_to_the_program_that_asked(
    signed_in: SignedIn, alice: User, acme: Account
) -> None:
    response = signed_in(alice).get(PAGE, {"name": "A", "redirect_uri": "http://localhost:3000/done"})
    assert "form-action 'self' http://localhost:3000;" in f"{response['Content-Security-Policy']};"


def test_the_environment_is_chosen(signed_in: SignedIn, alice: User, staging: Environment) -> None:
    browser = signed_in(alice)
    html = text(browser.get(PAGE, ASKED))
    assert '<option value="production" selected>Production</option><option value="' in html
    assert browser.get(PAGE, {**ASKED, "environment": "staging"})["Location"] == f"{STAGING}?{QUERY}"
    assert browser.get(PAGE, {**ASKED, "environment": "nowhere"}).status_code == 404
    browser.post(f"{STAGING}/approve", {**ASKED, "prefix": "billing"})
    assert Webhook.objects.get().key.environment == staging


def test_the_organisation_is_chosen(
    signed_in: SignedIn, alice: User, acme: Account, elsewhere: Account
) -> None:
    browser = signed_in(alice)
    assert browser.get(PAGE, {**ASKED, "organisation": elsewhere.slug}).status_code == 404
    assert f'value="{elsewhere.slug}"' not in text(browser.get(PAGE, ASKED))
    Membership.objects.create(account=elsewhere, user=alice, role=Role.ADMIN)
    chosen = browser.get(PAGE, {**ASKED, "organisation": elsewhere.slug}, follow=True)
    assert chosen.request["PATH_INFO"] == f"/o/{elsewhere.slug}/env/production/intent/create-webhook"
    assert f'<option value="{elsewhere.slug}" selected>' in text(chosen)


def test_a_developer_is_led_to_where_developers_make_webhooks(
    signed_in: SignedIn, bob: User, staging: Environment, branch: Environment
) -> None:
    browser = signed_in(bob)
    assert "/env/production/" not in browser.get(PAGE, ASKED)["Location"]
    assert browser.get(STAGING, ASKED).status_code == 200
    assert browser.post(APPROVE, {**ASKED, "prefix": "a"}).status_code == 403
    in_branch = f"/o/acme/env/{branch.slug}/intent/create-webhook"
    assert browser.get(in_branch, ASKED).status_code == 302
    assert browser.post(f"{in_branch}/approve", {**ASKED, "prefix": "a"}).status_code == 422
    assert not Webhook.objects.exists()


def test_who_makes_no_webhooks_can_only_go_back(signed_in: SignedIn, viewer: User, acme: Account) -> None:
    browser = signed_in(viewer)
    html = text(browser.get(PAGE, ASKED))
    assert "Your role in Acme makes no webhooks." in html
    assert 'id="intent-form"' not in html
    assert "error=user_cancelled" in html
    assert browser.post(APPROVE, {**ASKED, "prefix": "a"}).status_code == 403


def test_an_archived_environment_is_not_offered(
    signed_in: SignedIn, alice: User, staging: Environment
) -> None:
    environment_archive(environment=staging, actor=SYSTEM)
    browser = signed_in(alice)
    assert browser.get(STAGING, ASKED)["Location"] == f"{PAGE}?{QUERY}"
    response = browser.post(f"{STAGING}/approve", {**ASKED, "prefix": "a"})
    assert response.status_code == 422
    assert not Webhook.objects.exists()


def test_names_are_text(signed_in: SignedIn, alice: User, acme: Account) -> None:
    html = text(signed_in(alice).get(PAGE, {**ASKED, "name": "<img src=x onerror=alert(1)>"}))
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt; wants to send events here" in html
