"""Sync, REST and GraphQL with stored keys: whose environment it is, and each refusal (spec 05, 1.14)."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.api.graphql import access as graphql_access
from apps.api.graphql.schema import schema
from apps.audit.services import SYSTEM
from apps.credentials import formats
from apps.credentials.models import AppKeyUse, SigningKeyState
from apps.credentials.permissions import PRESETS
from apps.credentials.process import process_resolver
from apps.credentials.services import (
    api_key_create,
    api_key_revoke,
    environment_add,
    event_key_revoke,
    signing_key_create_pending,
    signing_key_revoke_retired,
    signing_key_rotate,
    token_create,
)
from apps.engine import bridge
from apps.refusals.buffer import process_refusals
from apps.registry.models import App
from apps.registry.readiness import rotation_readiness, supports_fallback
from apps.server.logs import json_formatter
from apps.tenancy.models import Account, AccountStatus, Environment, Membership, Role
from apps.tenancy.permissions import Permission
from apps.tenancy.services.environments import environment_archive, environment_delete
from tests.integration.credentials.world import (
    Organisation,
    bearer,
    event_key,
    event_key_of,
    signing_key,
    signing_key_of,
)
from tests.integration.ingest.noting import noted
from tests.integration.registry.conftest import RecordingEngine
from tests.unit.registry.bodies import function, register_body

pytestmark = pytest.mark.django_db

RUN = "01M8488PZN38TBQW5R170FD360"
PLAIN_401 = (401, b"Authentication failed\n", "text/plain; charset=utf-8")


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> RecordingEngine:
    recording = RecordingEngine()
    monkeypatch.setattr(bridge, "engine_call", recording.call)
    return recording


def register(client: Client, secret: str, **headers: str) -> tuple[int, dict[str, Any]]:
    answer = client.post(
        "/fn/register",
        register_body(function()),
        content_type="application/json",
        headers=bearer(secret, **headers),
    )
    return answer.status_code, json.loads(answer.content)


def gql(client: Client, query: str, secret: str = "") -> tuple[int, dict[str, Any]]:
    answer = client.post(
        "/v0/gql", json.dumps({"query": query}), content_type="application/json", headers=bearer(secret)
    )
    return answer.status_code, answer.json()


def changed(action: Callable[[], object]) -> None:
    """Do it, and let the process hear of it."""
    action()
    process_resolver().cache.forget_all()


def error(code: str, text: str, status: int) -> dict[str, object]:
    return {"code": code, "error": text, "data": None, "status": status}


def test_a_sync_lands_in_the_environment_of_the_signing_key(
    client: Client, acme: Organisation, globex: Organisation
) -> None:
    for org in (acme, globex):
        assert register(client, signing_key(org.production))[0] == 200
    found = {app.environment_id: app.account_id for app in App.objects.all()}
    assert found == {org.production.id: org.account.id for org in (acme, globex)}


@pytest.mark.parametrize("form", ["raw", "hash", "prefixed hash", "upper case"])
def test_each_form_of_a_signing_key(client: Client, acme: Organisation, form: str) -> None:
    key = signing_key(acme.production)
    digest = formats.bearer_hash(key)
    presented = {
        "raw": key,
        "hash": digest,
        "prefixed hash": f"signkey-prod-{digest}",
        "upper case": f"SIGNKEY-PROD-{digest.upper()}",
    }
    assert register(client, presented[form])[0] == 200


@pytest.mark.parametrize("secret", ["", "undefined", "a" * 64, "signkey-prod-" + "b" * 64])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/fn/register"),
        ("DELETE", "/fn/remove?url=x"),
        ("GET", "/dev"),
        ("GET", "/v1/events"),
        ("GET", f"/v1/runs/{RUN}"),
        ("DELETE", f"/v1/runs/{RUN}"),
        ("POST", "/v1/cancellations"),
        ("POST", "/v1/signals"),
        ("GET", "/v1/apps/a/functions"),
    ],
)
def test_who_is_not_known_gets_one_answer(
    client: Client, acme: Organisation, secret: str, method: str, path: str
) -> None:
    for presented in (secret, event_key(acme.production)):
        answer = client.generic(method, path, headers=bearer(presented))
        assert (answer.status_code, answer.content, answer["Content-Type"]) == PLAIN_401


def test_a_sync_of_a_branch_makes_it_and_moves_its_date(client: Client, acme: Organisation) -> None:
    key = signing_key(acme.branches)
    assert register(client, key, **{"x-inngest-env": "feature"})[0] == 200
    branch = acme.branch("feature")
    assert App.objects.get().environment_id == branch.id
    assert branch.auto_archive_at is not None
    assert branch.last_synced_at is not None
    Environment.objects.filter(id=branch.id).update(
        archived_at=timezone.now(), auto_archive_at=timezone.now() - timedelta(days=1)
    )
    assert register(client, key, **{"X-Inngest-Env": "FEATURE"})[0] == 200
    branch.refresh_from_db()
    assert branch.archived_at is None
    assert branch.auto_archive_at > timezone.now() + timedelta(days=2)


def test_the_name_of_a_branch_is_read_as_the_event_path_reads_it(client: Client, acme: Organisation) -> None:
    header = "feature/é".encode().decode("latin-1")
    assert register(client, signing_key(acme.branches), **{"x-inngest-env": header})[0] == 200
    assert App.objects.get().environment_id == acme.branch("feature/é").id


def test_a_sync_of_branches_must_name_one(client: Client, acme: Organisation) -> None:
    assert register(client, signing_key(acme.branches)) == (
        400,
        error("env_unspecified", "The X-Inngest-Env header must name the environment", 400),
    )
    assert App.objects.count() == 0


def test_an_archived_environment_takes_no_sync(client: Client, acme: Organisation) -> None:
    Environment.objects.filter(id=acme.production.id).update(archived_at=timezone.now())
    assert register(client, signing_key(acme.production)) == (
        409,
        error("env_archived", "The environment is archived", 409),
    )


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (AccountStatus.SUSPENDED, "account_suspended", "The organisation is suspended"),
        (AccountStatus.DELETING, "account_deleting", "The organisation is being deleted"),
    ],
)
def test_an_organisation_at_rest_is_read_only(
    client: Client, acme: Organisation, status: AccountStatus, code: str, text: str
) -> None:
    Account.objects.filter(id=acme.account.id).update(status=status)
    key = signing_key(acme.production)
    assert register(client, key) == (403, error(code, text, 403))
    assert client.get("/v1/events", headers=bearer(key)).status_code == 200
    cancel = client.delete(f"/v1/runs/{RUN}", headers=bearer(key))
    assert (cancel.status_code, cancel.json()) == (403, error(code, text, 403))
    assert gql(client, "{apps {id}}", key)[0] == 200
    status_code, body = gql(client, 'mutation {deleteAppByName(name: "x")}', key)
    assert (status_code, body["errors"]) == (403, [{"message": text, "extensions": {"code": code}}])


def test_the_dev_endpoint_is_not_there(client: Client, acme: Organisation) -> None:
    answer = client.get("/dev", headers=bearer(signing_key(acme.production)))
    assert (answer.status_code, answer.content) == (404, b"404 page not found\n")


def test_no_key_removes_what_belongs_to_another(
    client: Client, acme: Organisation, globex: Organisation
) -> None:
    register(client, signing_key(acme.production))
    app = App.objects.get()
    path = f"/fn/remove?url={app.url}"
    assert client.delete(path, headers=bearer(signing_key(globex.production))).status_code == 404
    app.refresh_from_db()
    assert app.archived_at is None
    assert client.delete(path, headers=bearer(signing_key(acme.production))).status_code == 200
    app.refresh_from_db()
    assert app.archived_at is not None


def test_permissions_of_an_api_key(client: Client, acme: Organisation) -> None:
    _, reading = api_key_create(
        account=acme.account,
        environment=acme.production,
        name="reader",
        permissions=PRESETS["read-only"],
        actor=SYSTEM,
    )
    assert client.get("/v1/events", headers=bearer(reading)).status_code == 200
    for method, path, permission in (
        ("DELETE", f"/v1/runs/{RUN}", "run.cancel"),
        ("POST", "/v1/cancellations", "run.cancel.bulk"),
        ("POST", "/v1/signals", "event.send"),
        ("POST", "/fn/register", "app.sync"),
        ("DELETE", "/fn/remove", "app.archive"),
    ):
        answer = client.generic(method, path, headers=bearer(reading))
        text = f"The credential lacks the permission {permission}"
        assert (answer.status_code, answer.json()) == (403, error("forbidden", text, 403))
    assert gql(client, "{apps {id}}", reading)[0] == 200
    status, body = gql(client, 'mutation M {a: __typename x: deleteAppByName(name: "x")}', reading)
    assert (status, body) == (
        403,
        {
            "errors": [
                {
                    "message": "The credential lacks the permission app.archive",
                    "extensions": {"code": "forbidden"},
                }
            ],
            "data": None,
        },
    )


def test_a_key_of_one_thing_reads_nothing(client: Client, acme: Organisation) -> None:
    _, ingesting = api_key_create(
        account=acme.account,
        environment=acme.production,
        name="ingest",
        permissions=PRESETS["ingest"],
        actor=SYSTEM,
    )
    assert client.get("/v1/events", headers=bearer(ingesting)).status_code == 403
    assert gql(client, "{apps {id}}", ingesting)[0] == 403


def test_a_key_that_has_ended(client: Client, acme: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    later = timezone.now() + timedelta(hours=1)
    key, plaintext = api_key_create(
        account=acme.account,
        environment=acme.production,
        name="ci",
        permissions=PRESETS["full"],
        actor=SYSTEM,
        expires_at=later,
    )
    assert client.get("/v1/events", headers=bearer(plaintext)).status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr("apps.credentials.resolution.time", later.timestamp)
        answer = client.get("/v1/events", headers=bearer(plaintext))
        assert (answer.status_code, answer.content, answer["Content-Type"]) == PLAIN_401
    changed(lambda: api_key_revoke(api_key=key, actor=SYSTEM))
    assert client.get("/v1/events", headers=bearer(plaintext)).status_code == 401
    assert gql(client, "{apps {id}}", plaintext) == (
        401,
        {
            "errors": [
                {
                    "message": "The credential has been revoked or has expired",
                    "extensions": {"code": "auth_revoked"},
                }
            ],
            "data": None,
        },
    )


def test_a_key_of_all_environments_names_one(
    client: Client, acme: Organisation, globex: Organisation
) -> None:
    _, secret = api_key_create(
        account=acme.account, environment=None, name="all", permissions=PRESETS["full"], actor=SYSTEM
    )
    register(client, signing_key(acme.production))
    for name, count in (("production", 1), (str(acme.production.id), 1), ("branch", 0)):
        answer = client.get("/v1/apps/shop/functions", headers=bearer(secret, **{"x-inngest-env": name}))
        assert (answer.status_code, len(answer.json())) == (200, count), name
    unnamed = client.get("/v1/events", headers=bearer(secret))
    assert (unnamed.status_code, unnamed.json()["code"]) == (400, "env_unspecified")
    for name in (str(globex.production.id), "nowhere"):
        foreign = client.get("/v1/events", headers=bearer(secret, **{"x-inngest-env": name}))
        assert (foreign.status_code, foreign.json()) == (
            404,
            error("env_not_found", "There is no environment of that name", 404),
        )


def test_an_environment_that_is_being_deleted_is_named_by_nothing(client: Client, acme: Organisation) -> None:
    _, secret = api_key_create(
        account=acme.account, environment=None, name="all", permissions=PRESETS["full"], actor=SYSTEM
    )
    staging = environment_add(account=acme.account, name="Staging", actor=SYSTEM)

    def statuses() -> list[int]:
        names = (str(staging.id), staging.id.hex, "staging", "Staging")
        asked = [bearer(secret, **{"x-inngest-env": name}) for name in names]
        return [client.get("/v1/events", headers=headers).status_code for headers in asked]

    before = statuses()
    environment_archive(environment=staging, actor=SYSTEM)
    long_ago = timezone.now() - timedelta(days=2)
    Environment.objects.filter(id=staging.id).update(archived_at=long_ago)
    changed(lambda: environment_delete(environment=staging, typed_name="Staging", actor=SYSTEM))
    assert (before, statuses()) == ([200] * 4, [404] * 4)


def test_a_token_may_what_its_person_may(client: Client, acme: Organisation, globex: Organisation) -> None:
    _, secret = token_create(
        account=acme.account,
        user=acme.owner,
        name="cli",
        permissions=PRESETS["full"],
        actor=SYSTEM,
    )
    headers = bearer(secret, **{"x-inngest-env": "production"})
    assert client.get("/v1/events", headers=headers).status_code == 200
    changed(lambda: Membership.objects.filter(user=acme.owner).update(role=Role.VIEWER))
    assert client.get("/v1/events", headers=headers).status_code == 200
    assert client.delete(f"/v1/runs/{RUN}", headers=headers).status_code == 403
    changed(lambda: Membership.objects.filter(user=acme.owner).delete())
    assert client.get("/v1/events", headers=headers).status_code == 401


def test_rotation_under_use(client: Client, acme: Organisation) -> None:
    """An app with both keys gets through at each moment, and one with the old one until the grace ends."""
    old = signing_key(acme.production)
    pending = signing_key_create_pending(environment=acme.production, actor=SYSTEM)
    new = signing_key(acme.production, SigningKeyState.PENDING)
    assert [register(client, key)[0] for key in (old, new)] == [200, 200]
    changed(lambda: signing_key_rotate(environment=acme.production, actor=SYSTEM))
    assert [register(client, key)[0] for key in (old, new)] == [200, 200]
    retired = signing_key_of(acme.production, SigningKeyState.RETIRED)
    changed(lambda: signing_key_revoke_retired(signing_key=retired, actor=SYSTEM))
    assert client.get("/v1/events", headers=bearer(old)).status_code == 401
    assert register(client, new)[0] == 200
    assert signing_key_of(acme.production) == pending


def test_readiness_tells_which_key_each_app_came_with(client: Client, acme: Organisation) -> None:
    old = signing_key(acme.production)
    register(client, old)
    (app,) = rotation_readiness(acme.production)
    assert (app.key_state, app.is_ready, app.supports_fallback) == ("active", False, True)
    signing_key_create_pending(environment=acme.production, actor=SYSTEM)
    register(client, signing_key(acme.production, SigningKeyState.PENDING))
    (app,) = rotation_readiness(acme.production)
    assert (app.key_state, app.is_ready) == ("pending", True)
    assert app.seen_at is not None
    assert AppKeyUse.objects.count() == 1


def test_branches_count_for_the_readiness_of_their_parent(client: Client, acme: Organisation) -> None:
    register(client, signing_key(acme.branches), **{"x-inngest-env": "feature"})
    assert [app.environment_id for app in rotation_readiness(acme.branches)] == [acme.branch("feature").id]
    assert rotation_readiness(acme.production) == []


@pytest.mark.parametrize(
    ("language", "version", "expected"),
    [
        ("js", "v3.17.9", False),
        ("js", "v3.18.0", True),
        ("js", "v4.0.0", True),
        ("py", "0.3.8", False),
        ("py", "v0.5.19", True),
        ("go", "v0.7.2", True),
        ("go", "v0.7.1", False),
        ("inngest-kt", "v1.0.0", None),
        ("js", "unknown", None),
    ],
)
def test_sdks_that_know_fallback_keys(language: str, version: str, expected: bool | None) -> None:
    assert supports_fallback(language, version) is expected


def test_each_mutation_has_a_permission() -> None:
    mutation = schema.graphql_schema.mutation_type
    assert mutation is not None
    assert set(mutation.fields) == set(graphql_access.MUTATIONS)


def test_graphql_shows_the_environment_of_the_key(
    client: Client, acme: Organisation, globex: Organisation
) -> None:
    register(client, signing_key(acme.production))
    shown = [gql(client, "{apps {externalID}}", signing_key(org.production)) for org in (acme, globex)]
    assert [(status, len(body["data"]["apps"])) for status, body in shown] == [(200, 1), (200, 0)]
    for secret, code in (("", "auth_missing"), ("a" * 64, "auth_invalid")):
        status, body = gql(client, "{apps {id}}", secret)
        assert (status, body["data"], body["errors"][0]["extensions"]) == (401, None, {"code": code})


def test_mutations_are_looked_for_in_fragments(client: Client, acme: Organisation) -> None:
    _, reading = api_key_create(
        account=acme.account,
        environment=acme.production,
        name="reader",
        permissions=PRESETS["read-only"],
        actor=SYSTEM,
    )
    register(client, signing_key(acme.production))
    for query in (
        'mutation {...F} fragment F on Mutation {deleteAppByName(name: "shop")}',
        'mutation {... on Mutation {... {deleteAppByName(name: "shop")}}}',
    ):
        assert gql(client, query, reading)[0] == 403
    assert App.objects.get().archived_at is None


def test_a_refusal_is_noted_with_the_environment_of_who_is_known(client: Client, acme: Organisation) -> None:
    process_refusals.take()
    _, reading = api_key_create(
        account=acme.account,
        environment=acme.production,
        name="reader",
        permissions=[Permission.VIEW],
        actor=SYSTEM,
    )
    client.delete(f"/v1/runs/{RUN}", headers=bearer(reading))
    client.post("/v1/signals", "not json", "text/plain", headers=bearer(signing_key(acme.production)))
    kept = [(one.env_id, one.status, one.reason) for one, _, _ in noted(process_refusals)]
    env_id = str(acme.production.id)
    assert kept == [
        (env_id, 403, "The credential lacks the permission run.cancel"),
        (env_id, 400, "Invalid signal data"),
    ]


def test_no_key_is_in_a_log(client: Client, acme: Organisation, caplog: pytest.LogCaptureFixture) -> None:
    """The lines are as a server writes them, whoever puts a key into a path."""
    caplog.set_level(logging.DEBUG)
    process_refusals.take()
    _, plaintext = api_key_create(
        account=acme.account, environment=None, name="ci", permissions=PRESETS["full"], actor=SYSTEM
    )
    secrets = [signing_key(acme.production), plaintext, event_key(acme.production), "sk-inn-api-" + "x" * 43]
    for secret in secrets:
        for method, path in (
            ("POST", "/fn/register"),
            ("GET", "/v1/events"),
            ("GET", f"/v1/runs/{secret}"),
            ("POST", "/v0/gql"),
            ("DELETE", f"/fn/remove?url={secret}"),
        ):
            client.generic(method, path, headers=bearer(secret))
    changed(lambda: event_key_revoke(event_key=event_key_of(acme.production), actor=SYSTEM))
    lines = [json_formatter().format(record) for record in caplog.records]
    assert len(lines) > 10
    kept = "".join(lines) + str(noted(process_refusals))
    assert [secret for secret in secrets if secret in kept] == []
