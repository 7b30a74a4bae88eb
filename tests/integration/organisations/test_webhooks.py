import re

import pytest

from apps.audit.actors import SYSTEM
from apps.credentials.models import EventKey
from apps.identity.models import User
from apps.tenancy.models import Account, Environment
from apps.webhooks.choices import Outcome, Scheme
from apps.webhooks.models import Delivery, Webhook
from apps.webhooks.presets import presets
from apps.webhooks.services.testing import forget_rates
from apps.webhooks.services.webhooks import webhook_create
from tests.browser.seed_tenants import write_delivery
from tests.integration.dashboard.pages import text
from tests.integration.organisations.conftest import SignedIn

PAGE = "/o/acme/env/production/manage/webhooks"
RESULT = {"HX-Request": "true", "HX-Target": "webhook-result"}
SCRIPT = "function transform(evt) { return { name: 'shop/' + evt.kind, data: evt }; }"


@pytest.fixture
def hook(production: Environment) -> Webhook:
    forget_rates()
    return webhook_create(environment=production, name="Payments", preset="stripe", actor=SYSTEM)


def test_a_webhook_is_made_from_a_preset(signed_in: SignedIn, alice: User, production: Environment) -> None:
    browser = signed_in(alice)
    assert "?preset=github" in text(browser.get(PAGE))
    assert 'value="GitHub"' in text(browser.get(f"{PAGE}/create?preset=github"))
    response = browser.post(f"{PAGE}/create", {"name": "Pulls", "preset": "github"})
    made = Webhook.objects.get(key__name="Pulls")
    assert response["Location"] == f"{PAGE}/{made.id}"
    assert made.transform == presets()["github"].transform


def test_the_url_is_masked_and_revealed(signed_in: SignedIn, alice: User, hook: Webhook) -> None:
    browser = signed_in(alice)
    url = text(browser.post(f"{PAGE}/{hook.id}/reveal", headers={"Accept": "text/plain"}))
    assert url.startswith("http://testserver/e/")
    assert url not in text(browser.get(f"{PAGE}/{hook.id}"))


def test_a_broken_script_is_not_saved(signed_in: SignedIn, alice: User, hook: Webhook) -> None:
    browser, before = signed_in(alice), hook.transform
    response = browser.post(f"{PAGE}/{hook.id}/scripts", {"transform": "function transform( {"})
    assert response.status_code == 422
    assert "The script is not saved" in text(response)
    hook.refresh_from_db()
    assert hook.transform == before
    browser.post(f"{PAGE}/{hook.id}/scripts", {"transform": SCRIPT, "respond": ""})
    hook.refresh_from_db()
    assert hook.transform == SCRIPT


def test_the_editor_is_told_what_became_of_saving(signed_in: SignedIn, alice: User, hook: Webhook) -> None:
    browser, url = signed_in(alice), f"{PAGE}/{hook.id}/scripts"
    state = {"HX-Request": "true", "HX-Target": "script-state"}
    broken = browser.post(url, {"transform": "\n\n] function transform() {}"}, headers=state)
    assert (broken.status_code, "<html" in text(broken)) == (422, False)
    assert 'data-field="webhook-transform" data-line="3"' in text(broken)
    broken = browser.post(url, {"transform": SCRIPT, "respond": "] nope"}, headers=state)
    assert 'data-field="webhook-respond" data-line="1"' in text(broken)
    saved = browser.post(url, {"transform": SCRIPT, "respond": ""}, headers=state)
    assert (saved.status_code, "The transform is saved." in text(saved)) == (200, True)
    hook.refresh_from_db()
    assert hook.transform == SCRIPT


def test_a_delivery_is_loaded_into_the_test_alone(signed_in: SignedIn, alice: User, hook: Webhook) -> None:
    write_delivery(hook, 1, Outcome.ACCEPTED, 200, ["stripe/invoice.paid"])
    fields = {"HX-Request": "true", "HX-Target": "test-fields"}
    found = Delivery.objects.get()
    answer = signed_in(alice).get(f"{PAGE}/{hook.id}", {"delivery": found.id}, headers=fields)
    assert answer["HX-Trigger-After-Swap"] == "delivery-loaded"
    assert "evt_1" in text(answer)
    assert 'id="webhook-transform"' not in text(answer)


def test_the_test_tool_shows_what_the_script_prints(signed_in: SignedIn, alice: User, hook: Webhook) -> None:
    script = "function transform(evt) { console.log('a <b>'); console.log('c'); return null; }"
    sent = {"transform": script, "payload": "{}", "content_type": "application/json"}
    html = text(signed_in(alice).post(f"{PAGE}/{hook.id}/test", sent, headers=RESULT))
    assert 'aria-label="Console"><code>a &lt;b&gt;\nc\n</code>' in html


def test_the_test_tool_shows_what_is_not_saved_yet(signed_in: SignedIn, alice: User, hook: Webhook) -> None:
    sent = {"transform": f"{hook.transform}\n// new", "payload": "{}", "content_type": "application/json"}
    browser = signed_in(alice)
    html = text(browser.post(f"{PAGE}/{hook.id}/test", sent, headers=RESULT))
    assert '<span class="diff-line" data-kind="new">+// new</span>' in html
    saved = text(browser.post(f"{PAGE}/{hook.id}/test", sent | {"transform": hook.transform}, headers=RESULT))
    assert "diff-line" not in saved


def test_the_test_tool_runs_what_is_typed(signed_in: SignedIn, alice: User, hook: Webhook) -> None:
    browser = signed_in(alice)
    sent = {"transform": SCRIPT, "payload": '{"kind": "paid"}', "content_type": "application/json"}
    html = text(browser.post(f"{PAGE}/{hook.id}/test", sent, headers=RESULT))
    assert "shop/paid" in html
    assert "1 event<" in html
    assert "Against the saved transform" in html
    assert "<html" not in html
    broken = browser.post(f"{PAGE}/{hook.id}/test", sent | {"transform": "nope"}, headers=RESULT)
    assert 'data-tone="bad"' in text(broken)
    assert "1 event<" not in text(broken)
    dropped = browser.post(
        f"{PAGE}/{hook.id}/test",
        sent | {"transform": "function transform() { return null; }"},
        headers=RESULT,
    )
    assert "The transform drops this payload" in text(dropped)


def test_deliveries_are_loaded_tried_and_delivered_again(
    signed_in: SignedIn, alice: User, hook: Webhook
) -> None:
    write_delivery(hook, 1, Outcome.ACCEPTED, 200, ["stripe/invoice.paid"])
    write_delivery(hook, 2, Outcome.UNVERIFIED, 401, [], "The signature does not match")
    Delivery.objects.filter(outcome="accepted").update(event_ids=["01JZ0000000000000000E90001"])
    browser, found = signed_in(alice), Delivery.objects.get(outcome="accepted")
    page = text(browser.get(f"{PAGE}/{hook.id}?delivery={found.id}"))
    assert "evt_1" in page
    assert "The signature does not match" in page
    detail = text(browser.get(f"{PAGE}/{hook.id}/deliveries/{found.id}"))
    assert "Stripe/1.0" in detail
    assert re.search(r'/events/01JZ0000000000000000E90001">.*<span>stripe/invoice\.paid</span>', detail)
    every = text(browser.post(f"{PAGE}/{hook.id}/test", {"transform": SCRIPT, "all": "1"}, headers=RESULT))
    assert "All 2 pass" in every
    browser.post(f"{PAGE}/{hook.id}/deliveries/{found.id}/redeliver")
    assert "Delivered again: accepted." in text(browser.get(PAGE))
    refused = Delivery.objects.get(outcome="unverified")
    browser.post(f"{PAGE}/{hook.id}/deliveries/{refused.id}/redeliver")
    assert "Nobody knows who sent this delivery" in text(browser.get(PAGE))


def test_verification_is_saved_without_showing_its_secret(
    signed_in: SignedIn, alice: User, hook: Webhook
) -> None:
    browser, url = signed_in(alice), f"{PAGE}/{hook.id}/verification"
    browser.post(url, {"scheme": "stripe", "secret": "whsec_very_secret", "tolerance_seconds": "60"})
    hook.refresh_from_db()
    assert (hook.scheme, hook.options, hook.has_secret) == (Scheme.STRIPE, {"tolerance_seconds": 60}, True)
    html = text(browser.get(f"{PAGE}/{hook.id}"))
    assert "whsec_very_secret" not in html
    assert "empty keeps it" in html
    refused = browser.post(url, {"scheme": "hmac", "secret": "typed-secret", "header": "", "prefix": "v1="})
    html = text(refused)
    assert (refused.status_code, "the name of a header is needed" in html.lower()) == (422, True)
    assert '<option value="hmac" selected>' in html
    assert 'name="prefix" value="v1="' in html
    assert "typed-secret" not in html
    hook.refresh_from_db()
    assert hook.scheme == Scheme.STRIPE
    assert browser.post(url, {"scheme": "magic"}).status_code == 404


def test_filter_name_and_end(signed_in: SignedIn, alice: User, hook: Webhook) -> None:
    browser = signed_in(alice)
    browser.post(f"{PAGE}/{hook.id}/filter", {"mode": "allow", "events": "stripe/*", "ips": ""})
    browser.post(f"{PAGE}/{hook.id}/rename", {"name": "Money"})
    key = EventKey.objects.get(id=hook.id)
    assert (key.name, key.filter_mode, key.filter_events) == ("Money", "allow", ["stripe/*"])
    browser.post(f"{PAGE}/{hook.id}/delete")
    assert browser.get(f"{PAGE}/{hook.id}").status_code == 404


@pytest.mark.parametrize("name", ["bob", "viewer", "operator", "auditor"])
def test_others_only_look(
    signed_in: SignedIn, request: pytest.FixtureRequest, hook: Webhook, name: str
) -> None:
    browser, before = signed_in(request.getfixturevalue(name)), hook.transform
    html = text(browser.get(f"{PAGE}/{hook.id}"))
    assert "Payments" in html
    assert 'id="webhook-test"' not in html
    for action in ("scripts", "verification", "filter", "rename", "delete", "reveal", "test", "send"):
        response = browser.post(f"{PAGE}/{hook.id}/{action}", {"transform": SCRIPT, "scheme": "none"})
        assert response.status_code == 403
    hook.refresh_from_db()
    assert (hook.transform, hook.key.name) == (before, "Payments")


def test_a_webhook_of_elsewhere_is_not_there(signed_in: SignedIn, alice: User, elsewhere: Account) -> None:
    foreign = webhook_create(
        environment=elsewhere.environments.get(slug="production"), name="Theirs", actor=SYSTEM
    )
    for action in ("reveal", "delete", "test"):
        assert signed_in(alice).post(f"{PAGE}/{foreign.id}/{action}").status_code == 404
