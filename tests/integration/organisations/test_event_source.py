"""The page of an event says where it came from."""

from uuid import UUID, uuid4

import pytest
from django.test import Client

from apps.audit.actors import SYSTEM
from apps.credentials.models import EventKey
from apps.credentials.services import event_key_create, event_key_revoke
from apps.engine.event_stream import EventContext, EventEntry
from apps.identity.models import User
from apps.tenancy.models import Account, Environment, EnvironmentType
from apps.tenancy.services.branches import branch_resolve
from apps.webhooks.services.webhooks import webhook_create
from tests.integration.dashboard.pages import text
from tests.integration.history.seed import write_event
from tests.integration.organisations.conftest import SignedIn

EVENT_ID = "01M8488PSWMZBJ8765PVQPGN3Y"


@pytest.fixture
def key(production: Environment) -> EventKey:
    return event_key_create(environment=production, name="Shop <1>", actor=SYSTEM)


def shown(browser: Client, environment: Environment, sender: str, source: str = "api") -> str:
    """The fact of that name, of an event that came so."""
    entry = EventEntry(
        EVENT_ID,
        str(environment.id),
        str(environment.account_id),
        "shop/order",
        b'{"data":{}}',
        EventContext(source=source),
        sender=sender,
    )
    write_event(f"{uuid4().int % 2**40}-0", entry)
    html = text(browser.get(f"/o/acme/env/{environment.slug}/events/{EVENT_ID}"))
    return html.partition("<dt>Source</dt><dd>")[2].partition("</dd>")[0]


def test_an_event_key_is_named_and_led_to(
    signed_in: SignedIn, viewer: User, production: Environment, key: EventKey
) -> None:
    link = f'<a href="/o/acme/env/production/manage/keys/{key.id}">Shop &lt;1&gt;</a>'
    assert (
        shown(signed_in(viewer), production, f"key:{key.id}")
        == f'Event key<span class="exact" title="Shop &lt;1&gt;">{link}</span>'
    )


def test_an_invocation_says_that_it_is_one(
    signed_in: SignedIn, viewer: User, production: Environment, key: EventKey
) -> None:
    label = shown(signed_in(viewer), production, f"key:{key.id}", "invoke").partition("<span")[0]
    assert label == "Invoke with the event key"


def test_a_revoked_key_keeps_its_name_and_has_no_page(
    signed_in: SignedIn, viewer: User, production: Environment, key: EventKey
) -> None:
    event_key_revoke(event_key=key, actor=SYSTEM)
    name = '<span class="exact" title="Shop &lt;1&gt;">Shop &lt;1&gt;</span>'
    assert shown(signed_in(viewer), production, f"key:{key.id}") == f"Event key{name}"


def test_a_webhook_is_named_and_led_to(signed_in: SignedIn, viewer: User, production: Environment) -> None:
    webhook = webhook_create(environment=production, name="Payments", actor=SYSTEM)
    link = f'<a href="/o/acme/env/production/manage/webhooks/{webhook.id}">Payments</a>'
    assert (
        shown(signed_in(viewer), production, f"webhook:{webhook.id}", "webhook")
        == f'Webhook<span class="exact" title="Payments">{link}</span>'
    )


def test_a_branch_names_the_key_of_its_parent(signed_in: SignedIn, alice: User, acme: Account) -> None:
    parent = acme.environments.get(type=EnvironmentType.BRANCH_PARENT)
    branch = branch_resolve(parent=parent, name="feature", may_create=True, unarchives=False)
    key = event_key_create(environment=parent, name="Shop", actor=SYSTEM)
    assert shown(signed_in(alice), branch, f"key:{key.id}").startswith(
        'Event key<span class="exact" title="Shop"><a href='
    )


def test_a_key_of_another_environment_is_not_named(
    signed_in: SignedIn, alice: User, staging: Environment, key: EventKey
) -> None:
    assert shown(signed_in(alice), staging, f"key:{key.id}") == "Event key"


@pytest.mark.parametrize(
    ("sender", "source", "label"),
    [
        ("dashboard", "api", "Dashboard"),
        ("api", "invoke", "Invoke by API"),
        ("dashboard", "invoke", "Invoke from the dashboard"),
        (f"key:{UUID(int=1)}", "api", "Event key"),
        ("", "api", "Event API"),
        ("", "cron", "Schedule"),
        ("", "engine", "Stepwell"),
        ("", "invoke", "Invoke"),
        ("", "webhook", "Webhook"),
    ],
)
def test_other_sources_have_no_name(
    signed_in: SignedIn, viewer: User, production: Environment, sender: str, source: str, label: str
) -> None:
    assert shown(signed_in(viewer), production, sender, source) == label
