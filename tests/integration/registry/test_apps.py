"""Archiving apps, DELETE /fn/remove, and what belongs to an environment (spec 02 12.6, spec 03 7.3)."""

import json
from uuid import UUID, uuid4

import pytest
from django.db.models import Model
from django.test import Client
from pytest_django.fixtures import Settings

from apps.identity.console.columns import page_of
from apps.identity.models import User
from apps.registry import selectors
from apps.registry.models import App, Function, FunctionVersion, Sync
from apps.registry.services import apps
from apps.tenancy.models import DEV_ACCOUNT_ID, DEV_ENVIRONMENT_ID, Environment
from tests.integration.registry.conftest import CaptureOnCommit, RecordingEngine, Register
from tests.unit.registry.bodies import URL, function, register_body

KEY = "signkey-test-0123456789abcdef0123456789abcdef"


def test_deleted_app_is_archived_with_its_functions(
    register: Register, engine: RecordingEngine, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    register(register_body(function()))
    app, row = App.objects.get(), Function.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        assert apps.app_delete(DEV_ENVIRONMENT_ID, app.id) is True

    assert engine.published[1:] == [([], [str(row.id)])]
    assert App.objects.get().archived_at is not None
    assert Function.objects.get().archived_at is not None
    assert list(selectors.apps_qs(DEV_ENVIRONMENT_ID)) == []
    assert list(selectors.apps_qs(DEV_ENVIRONMENT_ID, archived=True)) == [app]
    assert selectors.live_specs() == []
    assert selectors.function_by_slug(DEV_ENVIRONMENT_ID, "shop-f") is None
    assert selectors.function_by_id(DEV_ENVIRONMENT_ID, row.id) == row


def test_sync_brings_a_deleted_app_back(
    register: Register, engine: RecordingEngine, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    body = register_body(function())
    register(body)
    before = (App.objects.get().id, Function.objects.get().id)
    with django_capture_on_commit_callbacks(execute=True):
        apps.app_delete_by_name(DEV_ENVIRONMENT_ID, "shop")
    response = register(body)

    assert json.loads(response.content)["modified"] is True
    assert (App.objects.get().id, Function.objects.get().id) == before
    assert (App.objects.get().archived_at, Function.objects.get().archived_at) == (None, None)
    assert Function.objects.get().version == 1
    assert engine.published[-1] == (["shop-f"], [])


def test_deleted_placeholder_is_gone(db: None) -> None:
    placeholder = apps.placeholder_ensure(DEV_ENVIRONMENT_ID, URL)

    assert apps.app_delete(DEV_ENVIRONMENT_ID, placeholder.id) is True
    assert App.objects.count() == 0


def test_delete_of_unknown_apps(register: Register) -> None:
    register(register_body(function()))

    assert apps.app_delete(DEV_ENVIRONMENT_ID, uuid4()) is False
    assert apps.app_delete(uuid4(), App.objects.get().id) is False
    assert apps.app_delete_by_name(DEV_ENVIRONMENT_ID, "") is False
    assert apps.app_delete_by_name(uuid4(), "shop") is False
    assert App.objects.get().archived_at is None


def test_remove_by_url(register: Register, client: Client) -> None:
    register(register_body(function()))
    response = client.delete("/fn/remove?url=http://127.0.0.1:3000/api/inngest")

    assert (response.status_code, response.content) == (200, b"")
    assert App.objects.get().archived_at is not None
    again = client.delete(f"/fn/remove?url={URL}")
    assert again.status_code == 404
    assert json.loads(again.content) == {"error": f"App not found: {URL}", "data": None, "status": 404}


def test_remove_needs_the_key(register: Register, client: Client, settings: Settings) -> None:
    register(register_body(function()))
    settings.STEPWELL_SIGNING_KEY = KEY

    assert client.delete(f"/fn/remove?url={URL}").status_code == 401
    assert App.objects.get().archived_at is None


def test_selectors_stay_in_their_environment(register: Register) -> None:
    register(register_body(function("shop-a"), function("shop-b")))
    other = Environment.objects.create(account_id=DEV_ACCOUNT_ID, name="Other", slug="other").id
    app, row = App.objects.get(), Function.objects.get(slug="shop-a")

    assert selectors.function_counts(DEV_ENVIRONMENT_ID, [app.id]) == {app.id: 2}
    assert selectors.functions_by_id(DEV_ENVIRONMENT_ID, [row.id]) == {row.id: row}
    assert [item.slug for item in selectors.configured_functions(DEV_ENVIRONMENT_ID, app.id)] == [
        "shop-a",
        "shop-b",
    ]
    assert selectors.syncs_qs(DEV_ENVIRONMENT_ID, app.id).get() == Sync.objects.get()
    assert selectors.is_any_app_synced(DEV_ENVIRONMENT_ID)
    assert selectors.function_counts(other, [app.id]) == {}
    assert selectors.functions_by_id(other, [row.id]) == {}
    assert selectors.configured_functions(other) == []
    assert list(selectors.functions_qs(other)) == []
    assert list(selectors.syncs_qs(other, app.id)) == []
    assert selectors.app_by_id(other, app.id) is None
    assert selectors.app_by_name(other, "shop") is None
    assert selectors.function_by_id(other, row.id) is None
    assert selectors.function_by_slug(other, "shop-a") is None
    assert not selectors.is_any_app_synced(other)


def test_lists_leave_payload_columns_out(register: Register) -> None:
    register(register_body(function()))
    [row] = selectors.functions_qs(DEV_ENVIRONMENT_ID)

    assert row.get_deferred_fields() == {"config", "spec"}


def test_same_app_in_two_environments(register: Register) -> None:
    register(register_body(function()))
    other = Environment.objects.create(account_id=DEV_ACCOUNT_ID, name="Other", slug="other").id
    placeholder = apps.placeholder_ensure(other, URL)

    assert placeholder.environment_id == other
    assert selectors.app_by_url(DEV_ENVIRONMENT_ID, URL) == App.objects.get(name="shop")
    assert selectors.app_by_url(other, URL) == placeholder


def test_poll_targets(register: Register) -> None:
    register(register_body(function()))
    apps.placeholder_ensure(DEV_ENVIRONMENT_ID, "http://localhost:4000/x")
    register(register_body(function("gone-f"), appName="gone", url="http://localhost:5000/x"))
    apps.app_delete_by_name(DEV_ENVIRONMENT_ID, "gone")
    register(register_body(function("worker-f"), appName="worker", url="ws://connect"))
    App.objects.filter(name="worker").update(method="connect")

    every = selectors.poll_targets(failing_only=False)
    failing = selectors.poll_targets(failing_only=True)

    assert sorted((target.url, target.error) for target in every) == [
        ("http://localhost:3000/api/inngest", ""),
        ("http://localhost:4000/x", "unreachable"),
    ]
    assert [target.url for target in failing] == ["http://localhost:4000/x"]
    assert {target.environment_id for target in every} == {DEV_ENVIRONMENT_ID}


@pytest.mark.parametrize("model", [App, Function, FunctionVersion, Sync])
def test_the_console_shows_and_does_not_change(
    register: Register, client: Client, model: type[Model]
) -> None:
    register(register_body(function()))
    client.force_login(User.objects.create_superuser("root@example.com"))
    row = model._default_manager.get()

    assert client.get(page_of(row)).status_code == 200
    assert client.post(page_of(row), {"name": "changed"}).status_code == 403


def test_dev_information(register: Register, client: Client, settings: Settings) -> None:
    settings.STEPWELL_SDK_URLS = [URL]
    register(
        register_body(function("shop-a", retries=None), function("shop-b", triggers=[{"cron": "* * * * *"}]))
    )
    response = client.get("/dev")
    information = json.loads(response.content)

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response.content.startswith(b'{\n  "version": ')
    assert list(information) == [
        "version",
        "authed",
        "startOpts",
        "functions",
        "handlers",
        "isSingleNodeService",
        "isMissingSigningKey",
        "isMissingEventKeys",
        "features",
    ]
    assert information["startOpts"]["urls"] == [URL]
    first, second = information["functions"]
    assert UUID(first.pop("id")) == Function.objects.get(slug="shop-a").id
    assert first == {
        "fv": 1,
        "name": "F",
        "slug": "shop-a",
        "triggers": [{"event": "a"}],
        "steps": [{"id": "step", "name": "step", "uri": f"{URL}?fnId=shop-a&stepId=step"}],
    }
    assert second["triggers"] == [{"cron": "* * * * *"}]


def test_dev_information_in_server_mode(client: Client, db: None, settings: Settings) -> None:
    settings.STEPWELL_MODE = "server"
    settings.STEPWELL_SIGNING_KEY = KEY
    denied = client.get("/dev")
    hidden = client.get("/dev", headers={"authorization": f"Bearer {KEY}"})

    assert (denied.status_code, denied.content) == (401, b"Authentication failed\n")
    assert (hidden.status_code, hidden.content) == (404, b"404 page not found\n")
