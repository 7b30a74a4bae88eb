"""GET and POST /v1/webhooks, and GET, PUT and DELETE of one (spec 03, 4.10)."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from apps.audit.models import ActorKind, AuditEntry
from apps.audit.services import SYSTEM
from apps.credentials.services import api_key_create, token_create
from apps.tenancy.models import Environment
from apps.tenancy.permissions import Permission
from apps.tenancy.services.branches import branch_resolve
from apps.webhooks.models import Webhook
from apps.webhooks.presets import presets
from apps.webhooks.services.webhooks import webhook_create, webhook_reveal
from tests.integration.credentials.world import Organisation, bearer, signing_key

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

SCRIPT = "function transform(e) {\n  return {name: 'a', data: e};\n}"
OTHER_SCRIPT = "const transform = (e) => ({name: 'b', data: e});"
P = Permission


def api_key(environment: Environment, *permissions: Permission) -> str:
    _, secret = api_key_create(
        account=environment.account,
        environment=environment,
        name=f"ci {uuid4().hex[:8]}",
        permissions=permissions,
        actor=SYSTEM,
    )
    return secret


def ask(secret: str, method: str, path: str = "", body: str = "", **headers: str) -> tuple[int, Any]:
    """Status and body; of a success what the envelope holds."""
    answer = Client().generic(
        method, f"/v1/webhooks{path}", body, "application/json", headers=bearer(secret, **headers)
    )
    found = answer.json()
    if answer.status_code != 200:
        return answer.status_code, found
    assert (list(found), list(found["metadata"])) == (["data", "metadata"], ["fetched_at"])
    return 200, found["data"]


def refusal(status: int, error: str, code: str = "") -> tuple[int, dict[str, object]]:
    return status, {**({"code": code} if code else {}), "error": error, "data": None, "status": status}


def make(environment: Environment, name: str = "Stripe") -> Webhook:
    return webhook_create(environment=environment, name=name, transform=SCRIPT, actor=SYSTEM)


def url_of(webhook: Webhook) -> str:
    return f"http://testserver/e/{webhook_reveal(webhook=webhook, actor=SYSTEM)}"


def shown(webhook: Webhook) -> dict[str, str]:
    row = Webhook.objects.select_related("key").get(key_id=webhook.key_id)
    return {"id": str(row.id), "name": row.name, "transform": row.transform, "url": url_of(row)}


def test_a_webhook_is_made_read_changed_and_deleted_with_the_signing_key(acme: Organisation) -> None:
    key = signing_key(acme.production)
    status, made = ask(key, "POST", body=f'{{"name": " Stripe ", "transform": {_json(SCRIPT)}}}')
    webhook = Webhook.objects.select_related("key").get()
    assert (status, made) == (
        200,
        {"id": str(webhook.id), "name": "Stripe", "transform": SCRIPT, "url": url_of(webhook)},
    )
    assert webhook.key.environment == acme.production

    assert ask(key, "GET") == (200, [made])
    assert ask(key, "GET", f"/{webhook.id}") == (200, made)
    body = f'{{"name": "Payments", "transform": {_json(OTHER_SCRIPT)}}}'
    changed = {**made, "name": "Payments", "transform": OTHER_SCRIPT}
    assert ask(key, "PUT", f"/{webhook.id}", body) == (200, changed)
    assert ask(key, "GET", f"/{webhook.id}") == (200, changed)

    assert ask(key, "DELETE", f"/{webhook.id}") == (200, {"id": str(webhook.id)})
    assert ask(key, "GET") == (200, [])
    gone = refusal(404, "There is no such webhook. It may have been deleted.", "webhook_not_found")
    for method in ("GET", "PUT", "DELETE"):
        assert ask(key, method, f"/{webhook.id}", "{}") == gone


@pytest.mark.parametrize("rest", ["", ', "transform": ""', ', "transform": " "', ', "transform": null'])
def test_the_default_transform_is_filled_in(acme: Organisation, rest: str) -> None:
    _, made = ask(signing_key(acme.production), "POST", body=f'{{"name": "Stripe"{rest}}}')
    assert made["transform"] == presets()["generic"].transform


def test_names_may_be_taken_twice(acme: Organisation) -> None:
    key = signing_key(acme.production)
    made = [ask(key, "POST", body='{"name": "Stripe"}')[1] for _ in range(2)]
    assert made[0]["url"] != made[1]["url"]
    assert ask(key, "GET") == (200, made)


@pytest.mark.parametrize(
    ("body", "error", "code"),
    [
        ("", "Invalid webhook request", ""),
        ("[]", "Invalid webhook request", ""),
        ('{"name": 1}', "Invalid webhook request", ""),
        ("{}", "name: A name is needed.", "invalid_name"),
        ('{"name": " "}', "name: A name is needed.", "invalid_name"),
        (f'{{"name": "{"x" * 129}"}}', "name: A name has at most 128 characters.", "invalid_name"),
        ('{"name": "a\\u0000b"}', "name: A name has no control characters.", "invalid_name"),
        (
            '{"name": "a", "transform": "function transform(e) {\\n  return {;\\n}"}',
            "transform: SyntaxError: Unexpected token ';' (line 2, column 11)",
            "webhook_script_invalid",
        ),
        (
            '{"name": "a", "transform": "var x = 1;"}',
            "transform: the script must define a function named transform",
            "webhook_script_invalid",
        ),
        (
            '{"name": "a", "transform": "a\\u0000"}',
            "transform: A script holds no NUL characters",
            "webhook_script_invalid",
        ),
        (
            f'{{"name": "a", "transform": "{"x" * 65_537}"}}',
            "transform: A script has at most 64 KiB",
            "webhook_script_invalid",
        ),
    ],
)
def test_what_cannot_be_made(acme: Organisation, body: str, error: str, code: str) -> None:
    assert ask(signing_key(acme.production), "POST", body=body) == refusal(400, error, code)
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("body", "error", "code"),
    [
        ("nope", "Invalid webhook request", ""),
        ('{"name": ""}', "name: A name is needed.", "invalid_name"),
        (
            '{"name": "Payments", "transform": ""}',
            "transform: the script must define a function named transform",
            "webhook_script_invalid",
        ),
        (
            '{"name": "Payments", "transform": "function transform(e) {\\n  return {;\\n}"}',
            "transform: SyntaxError: Unexpected token ';' (line 2, column 11)",
            "webhook_script_invalid",
        ),
        (
            f'{{"name": "{"x" * 129}", "transform": "const transform = (e) => e;"}}',
            "name: A name has at most 128 characters.",
            "invalid_name",
        ),
    ],
)
def test_a_refused_change_changes_nothing(acme: Organisation, body: str, error: str, code: str) -> None:
    webhook = make(acme.production)
    before = shown(webhook)
    answer = ask(signing_key(acme.production), "PUT", f"/{webhook.id}", body)
    assert answer == refusal(400, error, code)
    assert shown(webhook) == before


def test_what_is_left_out_or_the_same_stays_and_is_not_recorded(acme: Organisation) -> None:
    webhook = make(acme.production)
    key = api_key(acme.production, P.WEBHOOK_MANAGE)
    made = {**shown(webhook), "url": None}
    for body in ("{}", f'{{"name": " Stripe ", "transform": {_json(SCRIPT)}}}'):
        assert ask(key, "PUT", f"/{webhook.id}", body) == (200, made)
    assert trail(acme, ActorKind.API_KEY) == []
    assert ask(key, "PUT", f"/{webhook.id}", '{"name": "Payments"}') == (200, {**made, "name": "Payments"})
    body = f'{{"transform": {_json(OTHER_SCRIPT)}}}'
    changed = {**made, "name": "Payments", "transform": OTHER_SCRIPT}
    assert ask(key, "PUT", f"/{webhook.id}", body) == (200, changed)
    assert trail(acme, ActorKind.API_KEY) == ["webhook.rename", "webhook.script"]


def test_an_id_that_is_none(acme: Organisation) -> None:
    key = signing_key(acme.production)
    for method in ("GET", "PUT", "DELETE"):
        assert ask(key, method, "/nope", "{}") == refusal(400, "Invalid webhook ID")


def test_a_key_does_what_it_is_given(acme: Organisation) -> None:
    webhook = make(acme.production)
    looking = api_key(acme.production, P.VIEW)
    nothing_shown = {**shown(webhook), "url": None}
    assert ask(looking, "GET") == (200, [nothing_shown])
    assert ask(looking, "GET", f"/{webhook.id}") == (200, nothing_shown)
    denied = refusal(403, "The credential lacks the permission webhook.manage", "forbidden")
    assert ask(looking, "POST", body='{"name": "a"}') == denied
    assert ask(looking, "PUT", f"/{webhook.id}", '{"name": "a"}') == denied
    assert ask(looking, "DELETE", f"/{webhook.id}") == denied
    managing = api_key(acme.production, P.WEBHOOK_MANAGE, P.EVENT_KEY_REVEAL)
    denied = refusal(403, "The credential lacks the permission view", "forbidden")
    assert ask(managing, "GET") == denied
    assert ask(managing, "PUT", f"/{webhook.id}", "{}") == (200, shown(webhook))
    _, made = ask(managing, "POST", body='{"name": "b"}')
    assert made["url"] == url_of(Webhook.objects.get(key_id=made["id"]))


def test_changes_and_shown_urls_are_on_record_as_the_keys(acme: Organisation) -> None:
    key = api_key(acme.production, P.VIEW, P.WEBHOOK_MANAGE, P.EVENT_KEY_REVEAL)
    _, made = ask(key, "POST", body='{"name": "Stripe"}')
    ask(key, "GET", f"/{made['id']}")
    ask(key, "GET")
    ask(key, "PUT", f"/{made['id']}", f'{{"name": "Payments", "transform": {_json(SCRIPT)}}}')
    ask(key, "DELETE", f"/{made['id']}")
    assert trail(acme, ActorKind.API_KEY) == [
        "webhook.create",
        "webhook.reveal",
        "webhook.reveal",
        "webhook.reveal",
        "webhook.rename",
        "webhook.script",
        "webhook.reveal",
        "webhook.revoke",
    ]
    entries = AuditEntry.objects.filter(account_id=acme.account.id, actor_kind=ActorKind.API_KEY)
    assert {entry.environment_id for entry in entries} == {acme.production.id}
    listed = entries.get(target_type="environment")
    assert (listed.target_id, listed.after) == (str(acme.production.id), {"count": 1})
    assert made["url"].rpartition("/")[2] not in str([(entry.before, entry.after) for entry in entries])


def test_others_find_nothing(acme: Organisation, globex: Organisation) -> None:
    webhook = make(acme.production)
    before = shown(webhook)
    absent = refusal(404, "There is no such webhook. It may have been deleted.", "webhook_not_found")
    for key in (signing_key(globex.production), signing_key(acme.branches)):
        headers = {"x-inngest-env": "feature"}
        branch_resolve(parent=acme.branches, name="feature", may_create=True, unarchives=False)
        assert ask(key, "GET", **headers) == (200, [])
        for method in ("GET", "PUT", "DELETE"):
            assert ask(key, method, f"/{webhook.id}", '{"name": "b"}', **headers) == absent
    assert shown(webhook) == before


def test_a_branch_has_the_webhooks_of_its_parent(acme: Organisation) -> None:
    branch_resolve(parent=acme.branches, name="feature", may_create=True, unarchives=False)
    key, headers = signing_key(acme.branches), {"x-inngest-env": "feature"}
    _, made = ask(key, "POST", body='{"name": "Stripe"}', **headers)
    webhook = Webhook.objects.select_related("key").get()
    assert (webhook.key.environment_id, shown(webhook)) == (acme.branches.id, made)
    assert ask(key, "GET", **headers) == (200, [made])
    assert ask(key, "DELETE", f"/{webhook.id}", **headers) == (200, {"id": made["id"]})


def test_a_token_names_the_parent_of_branches(acme: Organisation) -> None:
    """A person may be restricted to some branches, and has no say in what they share then."""
    branch_resolve(parent=acme.branches, name="feature", may_create=True, unarchives=False)
    _, token = token_create(
        user=acme.owner,
        account=acme.account,
        name="mine",
        permissions=[P.VIEW, P.WEBHOOK_MANAGE],
        actor=SYSTEM,
    )
    of_parent = refusal(409, "Branches use the keys of the branch environments' parent.", "keys_of_parent")
    assert ask(token, "POST", body='{"name": "a"}', **{"x-inngest-env": "feature"}) == of_parent
    assert ask(token, "GET", **{"x-inngest-env": "feature"}) == of_parent
    status, made = ask(token, "POST", body='{"name": "a"}', **{"x-inngest-env": "branch"})
    assert (status, Webhook.objects.get(key_id=UUID(made["id"])).key.environment) == (200, acme.branches)


def test_a_webhook_of_dev_mode(settings: Settings, acme: Organisation) -> None:
    settings.STEPWELL_MODE = "dev"
    status, made = ask("", "POST", body='{"name": "Stripe"}')
    assert (status, ask("", "GET")) == (200, (200, [made]))


def trail(org: Organisation, kind: ActorKind) -> list[str]:
    entries = AuditEntry.objects.filter(account_id=org.account.id, actor_kind=kind).order_by("number")
    return [entry.action for entry in entries]


def _json(text: str) -> str:
    return '"' + text.replace("\n", "\\n") + '"'
