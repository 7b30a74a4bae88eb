"""Making and changing webhooks: rules, audit, tenancy."""

import pytest

from apps.audit.models import AuditEntry
from apps.audit.services import SYSTEM
from apps.credentials import secrets
from apps.credentials.exceptions import CredentialNotFound, InvalidFilter, KeyLimit, KeysOfParent
from apps.credentials.models import EventKey, FilterMode, KeySource
from apps.credentials.selectors import event_keys_qs
from apps.tenancy.exceptions import AccountSuspended, InvalidName
from apps.tenancy.models import Account, AccountStatus
from apps.tenancy.services.branches import branch_resolve
from apps.webhooks.choices import Scheme
from apps.webhooks.configs import config_by_id, config_by_key
from apps.webhooks.exceptions import (
    ScriptInvalid,
    UnknownPreset,
    VerificationInvalid,
    WebhookNotFound,
)
from apps.webhooks.models import Webhook
from apps.webhooks.presets import presets
from apps.webhooks.selectors import webhook_by_id, webhooks_qs
from apps.webhooks.services.webhooks import (
    webhook_create,
    webhook_delete,
    webhook_rename,
    webhook_reveal,
    webhook_set_filters,
    webhook_set_scripts,
    webhook_set_transform,
    webhook_set_verification,
)
from tests.integration.credentials.world import Organisation
from tests.integration.webhooks.world import make_hook

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

SCRIPT = "function transform(e) {\n  return {name: 'a', data: e};\n}"


def trail(org: Organisation) -> list[AuditEntry]:
    entries = AuditEntry.objects.filter(account_id=org.account.id, action__startswith="webhook.")
    return list(entries.order_by("number"))


def test_a_webhook_begins_with_the_default_transform(acme: Organisation) -> None:
    made = webhook_create(environment=acme.production, name=" Stripe ", actor=SYSTEM)
    assert (made.name, made.preset, made.respond, made.scheme) == ("Stripe", "generic", "", Scheme.NONE)
    assert made.transform == presets()["generic"].transform
    assert (made.key.source, len(webhook_reveal(webhook=made, actor=SYSTEM))) == (KeySource.WEBHOOK, 86)
    assert [entry.action for entry in trail(acme)] == ["webhook.create", "webhook.reveal"]


def test_a_webhook_of_a_preset(acme: Organisation) -> None:
    made = webhook_create(environment=acme.production, name="Slack", actor=SYSTEM, preset="slack")
    assert (made.transform, made.respond) == (presets()["slack"].transform, presets()["slack"].respond)
    with pytest.raises(UnknownPreset):
        webhook_create(environment=acme.production, name="x", actor=SYSTEM, preset="nobody")


@pytest.mark.parametrize(
    ("script", "line"),
    [("function transform( {", 1), ("var x = 1;", 0), ("for (;;);", 0), ("x" * 70_000, 0), ("a\0", 0)],
)
def test_a_broken_script_is_refused(acme: Organisation, script: str, line: int) -> None:
    with pytest.raises(ScriptInvalid) as refused:
        webhook_create(environment=acme.production, name="x", actor=SYSTEM, transform=script)
    assert bool(refused.value.line) is bool(line)
    found = make_hook(acme.production)
    with pytest.raises(ScriptInvalid):
        webhook_set_transform(webhook=found.webhook, transform=script, actor=SYSTEM)
    assert Webhook.objects.get().transform == found.webhook.transform


def test_a_script_that_needs_more_than_an_empty_event_is_not_broken(acme: Organisation) -> None:
    script = "function transform(e) { return {name: e.a.b.c, data: e}; }"
    assert make_hook(acme.production, script).webhook.transform == script


def test_a_changed_script_is_on_record(acme: Organisation) -> None:
    found = make_hook(acme.production, SCRIPT)
    webhook_set_scripts(
        webhook=found.webhook,
        transform=SCRIPT.replace("'a'", "'b'"),
        respond="const respond = () => null;",
        actor=SYSTEM,
    )
    entry = trail(acme)[-1]
    assert (entry.action, entry.target_label) == ("webhook.script", "Hook")
    assert entry.after["transform_diff"].splitlines()[3:] == [
        " function transform(e) {",
        "-  return {name: 'a', data: e};",
        "+  return {name: 'b', data: e};",
        " }",
    ]
    assert "+const respond = () => null;" in entry.after["respond_diff"]
    again = Webhook.objects.get()
    webhook_set_scripts(webhook=again, respond=" ", actor=SYSTEM)
    assert (Webhook.objects.get().respond, "transform_diff" in trail(acme)[-1].after) == ("", False)


def test_a_response_function_must_be_one(acme: Organisation) -> None:
    found = make_hook(acme.production)
    with pytest.raises(ScriptInvalid, match="must define a function named respond"):
        webhook_set_scripts(webhook=found.webhook, respond="function transform() {}", actor=SYSTEM)


def test_a_webhook_is_renamed(acme: Organisation) -> None:
    found = make_hook(acme.production)
    assert webhook_rename(webhook=found.webhook, name="Other", actor=SYSTEM).name == "Other"
    with pytest.raises(InvalidName):
        webhook_rename(webhook=found.webhook, name=" ", actor=SYSTEM)


def test_filters(acme: Organisation) -> None:
    found = make_hook(acme.production)
    changed = webhook_set_filters(
        webhook=found.webhook, mode=FilterMode.ALLOW, events=["a/*", ""], ips=["10.0.0.1"], actor=SYSTEM
    )
    assert (changed.key.filter_mode, changed.key.filter_events, changed.key.filter_ips) == (
        "allow",
        ["a/*"],
        ["10.0.0.1"],
    )
    with pytest.raises(InvalidFilter):
        webhook_set_filters(
            webhook=found.webhook, mode=FilterMode.ALLOW, events=["a*b"], ips=[], actor=SYSTEM
        )


def test_a_secret_is_write_only(acme: Organisation) -> None:
    found = make_hook(acme.production)
    changed = webhook_set_verification(
        webhook=found.webhook, scheme=Scheme.STRIPE, secret="top secret", actor=SYSTEM
    )
    assert changed.has_secret
    assert "top" not in changed.secret_encrypted
    assert secrets.decrypt(changed.secret_encrypted) == "top secret"
    entry = trail(acme)[-1]
    assert (entry.before["scheme"], entry.after["scheme"], entry.after["has_secret"]) == (
        "none",
        "stripe",
        True,
    )
    assert "top secret" not in str(entry.after) + str(entry.before)
    [listed] = webhooks_qs(acme.production)
    assert "secret_encrypted" in listed.get_deferred_fields()
    config = config_by_id(str(found.webhook.id))
    assert config is not None
    assert (config.verification.secret, "top" in repr(config)) == ("top secret", False)


def test_the_secret_stays_while_its_options_change(acme: Organisation) -> None:
    found = make_hook(acme.production)
    webhook_set_verification(webhook=found.webhook, scheme=Scheme.STRIPE, secret="s", actor=SYSTEM)
    changed = webhook_set_verification(
        webhook=found.webhook, scheme=Scheme.STRIPE, options={"tolerance_seconds": 60}, actor=SYSTEM
    )
    assert (secrets.decrypt(changed.secret_encrypted), changed.options) == ("s", {"tolerance_seconds": 60})
    with pytest.raises(VerificationInvalid):
        webhook_set_verification(webhook=found.webhook, scheme=Scheme.GITHUB, actor=SYSTEM)
    none = webhook_set_verification(webhook=found.webhook, scheme=Scheme.NONE, actor=SYSTEM)
    assert (none.secret_encrypted, none.secret_set_at) == ("", None)


@pytest.mark.parametrize(
    ("scheme", "options", "secret"),
    [
        (Scheme.STRIPE, {}, ""),
        (Scheme.STRIPE, {}, None),
        (Scheme.STRIPE, {}, "a\nb"),
        (Scheme.STRIPE, {"header": "x"}, "s"),
        (Scheme.SVIX, {}, "whsec_!!"),
        (Scheme.SVIX, {}, "whsec_"),
        (Scheme.HMAC, {}, "s"),
        (Scheme.BASIC, {}, "s"),
        (Scheme.GITHUB, {}, "s" * 2000),
    ],
)
def test_a_verification_that_is_none(
    acme: Organisation, scheme: Scheme, options: dict[str, object], secret: str | None
) -> None:
    found = make_hook(acme.production)
    with pytest.raises(VerificationInvalid):
        webhook_set_verification(
            webhook=found.webhook, scheme=scheme, options=options, secret=secret, actor=SYSTEM
        )
    assert (Webhook.objects.get().scheme, Webhook.objects.get().has_secret) == (Scheme.NONE, False)


def test_deleting(acme: Organisation) -> None:
    found = make_hook(acme.production)
    for _ in range(2):
        webhook_delete(webhook=found.webhook, actor=SYSTEM)
    assert (Webhook.objects.count(), config_by_key(found.key)) == (0, None)
    assert EventKey.objects.get(id=found.webhook.key_id).revoked_at is not None
    assert [entry.action for entry in trail(acme)] == ["webhook.create", "webhook.revoke"]
    with pytest.raises(WebhookNotFound):
        webhook_set_transform(webhook=found.webhook, transform=SCRIPT, actor=SYSTEM)
    with pytest.raises(CredentialNotFound):
        webhook_rename(webhook=found.webhook, name="x", actor=SYSTEM)


def test_webhooks_are_no_event_keys(acme: Organisation) -> None:
    found = make_hook(acme.production)
    assert found.webhook.key_id not in set(event_keys_qs(acme.production).values_list("id", flat=True))
    assert [row.id for row in webhooks_qs(acme.production)] == [found.webhook.id]


def test_environments_are_apart(acme: Organisation, globex: Organisation) -> None:
    found = make_hook(acme.production)
    assert webhook_by_id(globex.production, found.webhook.id) is None
    assert webhook_by_id(acme.branches, found.webhook.id) is None
    seen = webhook_by_id(acme.production, found.webhook.id)
    assert seen is not None
    assert seen.transform == found.webhook.transform


def test_a_branch_uses_the_webhooks_of_its_parent(acme: Organisation) -> None:
    branch = branch_resolve(parent=acme.branches, name="b", may_create=True, unarchives=False)
    found = make_hook(acme.branches)
    assert [row.id for row in webhooks_qs(branch)] == [found.webhook.id]
    with pytest.raises(KeysOfParent):
        webhook_create(environment=branch, name="x", actor=SYSTEM)


def test_the_number_of_webhooks_is_limited(acme: Organisation) -> None:
    Account.objects.filter(id=acme.account.id).update(entitlements={"webhooks": 1})
    make_hook(acme.production)
    with pytest.raises(KeyLimit):
        make_hook(acme.production)
    assert Webhook.objects.count() == 1


def test_a_suspended_account_changes_nothing(acme: Organisation) -> None:
    found = make_hook(acme.production)
    Account.objects.filter(id=acme.account.id).update(status=AccountStatus.SUSPENDED)
    with pytest.raises(AccountSuspended):
        webhook_set_transform(webhook=found.webhook, transform=SCRIPT, actor=SYSTEM)
    with pytest.raises(AccountSuspended):
        webhook_set_verification(webhook=found.webhook, scheme=Scheme.STRIPE, secret="s", actor=SYSTEM)
    with pytest.raises(AccountSuspended):
        webhook_delete(webhook=found.webhook, actor=SYSTEM)
    assert Webhook.objects.get().transform == found.webhook.transform
