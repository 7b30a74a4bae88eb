"""POST /fn/register: answers, stored rows and what reaches the engine (spec 01 4.4, spec 02 12.7)."""

import json
from uuid import UUID

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from apps.engine.functions import Trigger, decode_spec
from apps.registry.models import App, Function, FunctionVersion, Sync
from apps.tenancy.models import DEV_ACCOUNT_ID, DEV_ENVIRONMENT_ID
from tests.integration.registry.conftest import RecordingEngine, Register
from tests.unit.registry.bodies import URL, function, register_body, sdk_body, step_url

KEY = "signkey-test-0123456789abcdef0123456789abcdef"
HASHED_KEY = "223e0a160af9da0a03e6dd2c4719c56f5d66a633cbe84e78aaa9f3735865522a"


def test_first_sync_stores_and_publishes(register: Register, engine: RecordingEngine) -> None:
    response = register(register_body(function("shop-a", name="A", retries=2), appVersion="7"))

    app = App.objects.get()
    row = Function.objects.get()
    sync = Sync.objects.get()
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert json.loads(response.content) == {
        "ok": True,
        "modified": True,
        "sync_id": str(sync.id),
        "app_id": str(app.id),
    }
    assert (app.name, app.url, app.method, app.error) == ("shop", URL, "serve", "")
    assert (app.sdk_language, app.sdk_version, app.framework, app.app_version) == (
        "js",
        "v4.24.0",
        "express",
        "7",
    )
    assert (app.account_id, app.environment_id) == (DEV_ACCOUNT_ID, DEV_ENVIRONMENT_ID)
    assert not app.publish_pending
    assert (row.slug, row.name, row.version, row.url) == ("shop-a", "A", 1, step_url("shop-a"))
    assert json.loads(row.config) == function("shop-a", name="A", retries=2)
    spec = decode_spec(row.spec.encode())
    assert (spec.id, spec.app_id, spec.env_id, spec.account_id, spec.version) == (
        str(row.id),
        str(app.id),
        str(DEV_ENVIRONMENT_ID),
        str(DEV_ACCOUNT_ID),
        1,
    )
    assert (spec.retries, spec.triggers) == (2, (Trigger(event="a"),))
    assert engine.published == [(["shop-a"], [])]
    assert engine.specs["shop-a"] == spec
    assert (sync.status, sync.modified, sync.function_count, sync.added) == ("success", True, 1, ["shop-a"])


def test_equal_syncs_are_not_modified_and_share_a_record(register: Register, engine: RecordingEngine) -> None:
    body = register_body(function())
    answers = [json.loads(register(body).content) for _ in range(4)]

    assert [answer["modified"] for answer in answers] == [True, False, False, False]
    assert len({answer["sync_id"] for answer in answers}) == 4
    assert len({answer["app_id"] for answer in answers}) == 1
    assert Sync.objects.order_by("created_at").values_list("status", "repeats").get(status="duplicate") == (
        "duplicate",
        2,
    )
    assert Sync.objects.count() == 2
    assert FunctionVersion.objects.count() == 1
    assert engine.published == [(["shop-f"], [])]


def test_version_rises_only_with_a_change_of_the_function(
    register: Register, engine: RecordingEngine
) -> None:
    register(register_body(function("shop-a"), function("shop-b")))
    register(register_body(function("shop-a"), function("shop-b", retries=1)))
    register(register_body(function("shop-a"), function("shop-b", retries=1), framework="next"))

    assert dict(Function.objects.values_list("slug", "version")) == {"shop-a": 1, "shop-b": 2}
    assert [(sorted(slugs), archived) for slugs, archived in engine.published] == [
        (["shop-a", "shop-b"], []),
        (["shop-b"], []),
    ]
    history = FunctionVersion.objects.filter(function__slug="shop-b").order_by("version")
    assert [(row.version, json.loads(row.config).get("retries")) for row in history] == [(1, None), (2, 1)]
    assert list(Sync.objects.order_by("created_at").values_list("added", "changed", "removed")) == [
        (["shop-a", "shop-b"], [], []),
        ([], ["shop-b"], []),
        ([], [], []),
    ]


def test_removed_function_is_archived_and_comes_back_with_its_id(
    register: Register, engine: RecordingEngine
) -> None:
    register(register_body(function("shop-a"), function("shop-b")))
    ids = dict(Function.objects.values_list("slug", "id"))
    register(register_body(function("shop-a")))
    archived = Function.objects.get(slug="shop-b")
    assert archived.archived_at is not None
    assert engine.published[1:] == [([], [str(ids["shop-b"])])]

    register(register_body(function("shop-a"), function("shop-b")))

    restored = Function.objects.get(slug="shop-b")
    assert (restored.id, restored.archived_at, restored.version) == (ids["shop-b"], None, 1)
    assert engine.published[2:] == [(["shop-b"], [])]
    assert Sync.objects.latest("created_at").added == ["shop-b"]


def test_renamed_function_keeps_its_id(register: Register) -> None:
    register(register_body(function(name="Old")))
    function_id = Function.objects.get().id
    register(register_body(function(name="New")))

    row = Function.objects.get()
    assert (row.id, row.name, row.version) == (function_id, "New", 2)


def test_functions_of_equal_name_and_url_get_different_ids(register: Register) -> None:
    steps = function("shop-a")["steps"]
    register(register_body(function("shop-a", steps=steps), function("shop-b", steps=steps)))
    register(register_body(function("shop-a", steps=steps), function("shop-c", steps=steps)))

    assert sorted(Function.objects.values_list("slug", flat=True)) == ["shop-a", "shop-b", "shop-c"]


def test_sync_without_functions_archives_all(register: Register, engine: RecordingEngine) -> None:
    register(register_body(function()))
    response = register(register_body())

    assert json.loads(response.content)["modified"] is True
    assert Function.objects.filter(archived_at__isnull=True).count() == 0
    assert engine.published[1:] == [([], [str(Function.objects.get().id)])]


def test_app_is_identified_by_name_not_by_url(register: Register) -> None:
    register(register_body(function()))
    register(register_body(function(), url="http://localhost:4000/api/inngest"))
    register(register_body(function("other-f"), appName="other"))

    assert sorted(App.objects.values_list("name", "url")) == [
        ("other", URL),
        ("shop", "http://localhost:4000/api/inngest"),
    ]


def test_ids_are_those_of_other_servers(register: Register) -> None:
    """Check values of spec 03 1.6."""
    url = "http://localhost:21250/api/inngest?fnId=myapp-hello&stepId=step"
    steps = {"step": {"id": "step", "name": "step", "runtime": {"type": "http", "url": url}}}
    register(register_body(function("myapp-hello", name="Hello fn", steps=steps), appName="myapp"))

    assert App.objects.get().id == UUID("40768630-6bea-56a2-af77-60abc06ba30f")
    assert Function.objects.get().id == UUID("90c1bf36-93fe-5e87-b761-a83064f428b1")


@pytest.mark.parametrize(
    ("name", "slugs"),
    [
        ("typescript_register", ["shop-batch", "shop-cfg", "shop-cfg-failure"]),
        ("python_register", ["pyshop-batch", "pyshop-cfg", "pyshop-cfg-failure"]),
        ("go_register", ["goshop-cfg", "goshop-one"]),
    ],
)
def test_bodies_of_sdks(register: Register, engine: RecordingEngine, name: str, slugs: list[str]) -> None:
    assert register(sdk_body(name)).status_code == 200
    assert sorted(engine.specs) == slugs


def test_invalid_function_changes_nothing_but_the_error(register: Register, engine: RecordingEngine) -> None:
    register(register_body(function("shop-a")))
    response = register(register_body(function("shop-a", name=""), function("shop-b")))

    message = "At least one function is invalid: 'shop-a': A function name is required"
    assert response.status_code == 400
    assert json.loads(response.content) == {"error": message, "data": None, "status": 400}
    app = App.objects.get()
    assert (app.error, app.error_detail) == ("invalid_function", message)
    assert list(Function.objects.values_list("slug", "name", "archived_at")) == [("shop-a", "F", None)]
    assert engine.published == [(["shop-a"], [])]
    failed = Sync.objects.get(status="error")
    assert (failed.app_id, failed.error_code, failed.error) == (app.id, "invalid_function", message)


def test_error_is_cleared_by_the_configuration_that_is_current(register: Register) -> None:
    register(register_body(function()))
    register(register_body(function(name="")))
    response = register(register_body(function()))

    assert json.loads(response.content)["modified"] is False
    assert (App.objects.get().error, App.objects.get().error_detail) == ("", "")


def test_repeated_failures_share_a_record(register: Register) -> None:
    for _ in range(3):
        register(register_body(function(name="")))
    register(register_body(function(triggers=[{}])))

    failures = Sync.objects.filter(app=None).order_by("created_at")
    assert list(failures.values_list("status", "repeats")) == [("error", 2), ("error", 0)]
    assert App.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"{}", {"error": "App ID required", "data": None, "status": 400}),
        (b"[]", {"error": "Invalid request: body must be an object"}),
        (
            register_body(function(throttle={"limit": 1, "period": "bogus"})),
            {"error": 'Invalid request: time: invalid duration "bogus"'},
        ),
    ],
)
def test_refused_bodies(register: Register, body: bytes, answer: dict[str, object]) -> None:
    response = register(body)

    assert response.status_code == 400
    assert json.loads(response.content) == answer
    assert Sync.objects.get().error == answer["error"]


def test_refused_body_with_nul_is_recorded(register: Register) -> None:
    register(register_body(function(steps={"\0": 1})))

    assert Sync.objects.get().error == (
        "Invalid request: functions[0].steps.\N{REPLACEMENT CHARACTER} must be an object"
    )


@pytest.mark.parametrize(
    ("mode", "expected", "error"),
    [
        ("dev", "cloud", "Expected server kind dev, got cloud"),
        ("server", "dev", "Expected server kind cloud, got dev"),
    ],
)
def test_server_kind_mismatch(
    register: Register, settings: Settings, mode: str, expected: str, error: str
) -> None:
    settings.STEPWELL_MODE, settings.STEPWELL_SIGNING_KEY = mode, KEY
    headers = {"authorization": f"Bearer {KEY}", "x_inngest_expected_server_kind": expected}
    response = register(register_body(function()), **headers)

    assert response.status_code == 400
    assert json.loads(response.content) == {"error": error}
    assert Sync.objects.count() == 0


@pytest.mark.parametrize("kind", ["", "dev"])
def test_right_or_empty_server_kind(register: Register, kind: str) -> None:
    assert register(register_body(function()), x_inngest_expected_server_kind=kind).status_code == 200


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer undefined", f"Bearer {HASHED_KEY[:-1]}0"])
def test_wrong_key(register: Register, settings: Settings, authorization: str) -> None:
    settings.STEPWELL_SIGNING_KEY = KEY
    response = register(register_body(function()), authorization=authorization)

    assert response.status_code == 401
    assert response.content == b"Authentication failed\n"
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert App.objects.count() == 0


@pytest.mark.parametrize("token", [f"signkey-test-{HASHED_KEY}", HASHED_KEY, KEY, KEY.rpartition("-")[2]])
@pytest.mark.parametrize("setting", ["STEPWELL_SIGNING_KEY", "STEPWELL_SIGNING_KEY_FALLBACK"])
def test_right_key_in_all_forms(register: Register, settings: Settings, setting: str, token: str) -> None:
    setattr(settings, setting, KEY)

    assert register(register_body(function()), authorization=f"Bearer {token}").status_code == 200


def test_denied_sdk_version(register: Register, settings: Settings) -> None:
    settings.STEPWELL_DENIED_SDK_VERSIONS = ["js:3.22.0-3.53.1"]
    response = register(register_body(function(), sdk="js:v3.30.0"))

    text = "SDK version js:v3.30.0 is not allowed by this server"
    assert response.status_code == 400
    assert json.loads(response.content) == {
        "code": "sdk_version_denied",
        "error": text,
        "data": None,
        "status": 400,
    }
    assert register(register_body(function(), sdk="js:v3.54.0")).status_code == 200


def test_warnings_are_in_the_answer(register: Register) -> None:
    batch = {"maxSize": 2, "timeout": "1s"}
    config = function(batchEvents=batch, rateLimit={"limit": 1, "period": "1m"})
    response = register(register_body(config))

    assert json.loads(response.content)["warnings"] == [
        "'shop-f': rateLimit is ignored for batched functions"
    ]
    assert Sync.objects.get().warnings == ["'shop-f': rateLimit is ignored for batched functions"]


def test_other_methods(client: Client, db: None) -> None:
    response = client.get("/fn/register")

    assert (response.status_code, response["Allow"], response.content) == (405, "POST", b"")


def test_a_thousand_functions(register: Register, engine: RecordingEngine) -> None:
    functions = [function(f"shop-{number}") for number in range(1000)]
    assert register(register_body(*functions)).status_code == 200
    assert register(register_body(*functions[:500])).status_code == 200

    assert Function.objects.filter(archived_at__isnull=True).count() == 500
    assert [(len(specs), len(archived)) for specs, archived in engine.published] == [(1000, 0), (0, 500)]
