"""Apps and functions (spec 03, 6.10; recorded exchanges of chapter 14)."""

import json
import uuid

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.tenancy.models import DEV_ACCOUNT_ID, Environment
from tests.integration.api_graphql.data import Json, ask, make_app, make_function

pytestmark = pytest.mark.django_db

APP_FIELDS = """
    id externalID name sdkLanguage sdkVersion framework url checksum error method appVersion connected
    functionCount autodiscovered
    sdkFeatureReadiness {aiMetadataExtraction {ready} extendedTraces {ready}} functions {slug}
"""

CONFIGURATION = """configuration {
    retries {value isDefault} priority cancellations {event timeout condition}
    eventsBatch {maxSize timeout key}
    concurrency {scope limit {value isPlanLimit} key} rateLimit {limit period key} debounce {period key}
    throttle {burst key limit period} singleton {mode key}
}"""

EVERY_SETTING: Json = {
    "priority": {"run": "event.data.p"},
    "concurrency": [{"limit": 5, "key": "event.data.k", "scope": "account"}, {"limit": 3}],
    "rateLimit": {"limit": 100, "period": "1m", "key": "event.data.k"},
    "debounce": {"period": "30s", "key": "event.data.k"},
    "throttle": {"limit": 10, "period": "1h", "burst": 2, "key": "event.data.k"},
    "triggers": [{"event": "demo/cfg", "expression": "event.data.ok == true"}, {"cron": "0 0 1 1 *"}],
    "steps": {"step": {"id": "step", "name": "step", "retries": {"attempts": 7}}},
}
EVERY_SPEC: Json = {
    "retries": 7,
    "priority": "event.data.p",
    "concurrency": [{"limit": 5, "key": "event.data.k", "scope": "account"}, {"limit": 3}],
    "rate_limit": {"limit": 100, "period_ms": 60_000, "key": "event.data.k"},
    "debounce": {"period_ms": 30_000, "key": "event.data.k"},
    "throttle": {"limit": 10, "period_ms": 3_600_000, "burst": 2, "key": "event.data.k"},
    "triggers": [{"event": "demo/cfg", "expression": "event.data.ok == true"}, {"cron": "0 0 1 1 *"}],
}


def test_a_real_app_and_a_placeholder() -> None:
    app = make_app()
    make_function(app)
    placeholder = make_app(
        "",
        url="http://localhost:21251/api/inngest",
        normalised_url="http://localhost:21251/api/inngest",
        sdk_language="",
        sdk_version="",
        framework="",
        checksum="",
        error="unreachable",
    )
    assert ask(f"{{apps {{{APP_FIELDS}}}}}").data["apps"] == [
        {
            "id": str(app.id),
            "externalID": "myapp",
            "name": "myapp",
            "sdkLanguage": "py",
            "sdkVersion": "v0.5.19",
            "framework": "flask",
            "url": "http://localhost:21250/api/inngest",
            "checksum": "5a07",
            "error": None,
            "method": "SERVE",
            "appVersion": "",
            "connected": True,
            "functionCount": 1,
            "autodiscovered": False,
            "sdkFeatureReadiness": {"aiMetadataExtraction": None, "extendedTraces": None},
            "functions": [{"slug": "myapp-hello"}],
        },
        {
            "id": str(placeholder.id),
            "externalID": "",
            "name": "",
            "sdkLanguage": "",
            "sdkVersion": "",
            "framework": None,
            "url": "http://localhost:21251/api/inngest",
            "checksum": "",
            "error": "unreachable",
            "method": "SERVE",
            "appVersion": "",
            "connected": False,
            "functionCount": 0,
            "autodiscovered": False,
            "sdkFeatureReadiness": {"aiMetadataExtraction": None, "extendedTraces": None},
            "functions": [],
        },
    ]


def test_apps_by_method() -> None:
    make_app("served")
    make_app("connected", method="connect")
    assert ask("{apps(filter: {method: CONNECT}) {name}}").data == {"apps": [{"name": "connected"}]}
    assert ask("{apps(filter: {method: API}) {name}}").data == {"apps": []}


def test_one_app() -> None:
    app = make_app()
    query = "query($id: UUID!) {app(id: $id) {name}}"
    assert ask(query, id=str(app.id)).data == {"app": {"name": "myapp"}}


def test_unknown_apps_and_functions_are_null_with_an_error() -> None:
    archived = make_app("old", archived_at=timezone.now())
    queries = [
        f'{{app(id: "{archived.id}") {{name}}}}',
        f'{{app(id: "{uuid.uuid4()}") {{name}}}}',
        '{app: functionBySlug(query: {functionSlug: "old-nope"}) {name}}',
    ]
    for query in queries:
        reply = ask(query)
        assert (reply.status, reply.body["data"]) == (200, {"app": None})
        assert reply.messages == ["sql: no rows in result set"]


def test_a_function_with_every_common_setting() -> None:
    function = make_function(make_app(), "cfg", EVERY_SETTING, EVERY_SPEC)
    query = f"""{{functionBySlug(query: {{functionSlug: "myapp-cfg"}}) {{
        id name slug concurrency url appID failureHandler {{id}} triggers {{type value condition}}
        {CONFIGURATION}
    }}}}"""
    assert ask(query).data["functionBySlug"] == {
        "id": str(function.id),
        "name": "Cfg",
        "slug": "myapp-cfg",
        "concurrency": 3,
        "url": "http://localhost:21250/api/inngest?fnId=myapp-cfg&stepId=step",
        "appID": str(function.app_id),
        "failureHandler": None,
        "triggers": [
            {"type": "EVENT", "value": "demo/cfg", "condition": "event.data.ok == true"},
            {"type": "CRON", "value": "0 0 1 1 *", "condition": None},
        ],
        "configuration": {
            "retries": {"value": 7, "isDefault": False},
            "priority": "event.data.p",
            "cancellations": [],
            "eventsBatch": None,
            "concurrency": [
                {"scope": "FUNCTION", "limit": {"value": 3, "isPlanLimit": False}, "key": None},
                {"scope": "ACCOUNT", "limit": {"value": 5, "isPlanLimit": False}, "key": "event.data.k"},
            ],
            "rateLimit": {"limit": 100, "period": "1m", "key": "event.data.k"},
            "debounce": {"period": "30s", "key": "event.data.k"},
            "throttle": {"burst": 2, "key": "event.data.k", "limit": 10, "period": "1h0m0s"},
            "singleton": None,
        },
    }


def test_a_function_without_settings() -> None:
    make_function(make_app())
    assert ask(f"{{functions {{concurrency triggers {{value}} {CONFIGURATION}}}}}").data["functions"] == [
        {
            "concurrency": 0,
            "triggers": [],
            "configuration": {
                "retries": {"value": 4, "isDefault": True},
                "priority": None,
                "cancellations": [],
                "eventsBatch": None,
                "concurrency": [
                    {"scope": "ACCOUNT", "limit": {"value": -1, "isPlanLimit": True}, "key": None}
                ],
                "rateLimit": None,
                "debounce": None,
                "throttle": None,
                "singleton": None,
            },
        }
    ]


def test_the_remaining_settings() -> None:
    config: Json = {
        "retries": 2,
        "batchEvents": {"maxSize": 10, "timeout": "5s", "key": "event.data.c"},
        "idempotency": "event.data.i",
    }
    spec: Json = {
        "retries": 2,
        "cancel": [{"event": "demo/stop", "expression": "event.data.a == async.data.a", "timeout": "1h"}],
        "batch": {"max_size": 10, "timeout_ms": 5000, "key": "event.data.c"},
        "rate_limit": {"limit": 1, "period_ms": 86_400_000, "key": "event.data.i"},
        "singleton": {"mode": "cancel"},
    }
    make_function(make_app(), "rest", config, spec)
    functions = ask(f"{{functions {{{CONFIGURATION}}}}}").data["functions"]
    assert isinstance(functions, list)
    configuration = functions[0]["configuration"]
    assert configuration["retries"] == {"value": 2, "isDefault": False}
    assert configuration["cancellations"] == [
        {"event": "demo/stop", "timeout": "1h", "condition": "event.data.a == async.data.a"}
    ]
    assert configuration["eventsBatch"] == {"maxSize": 10, "timeout": "5s", "key": "event.data.c"}
    assert configuration["rateLimit"] == {"limit": 1, "period": "24h", "key": "event.data.i"}
    assert configuration["singleton"] == {"mode": "CANCEL", "key": None}


def test_the_stored_configuration_as_text() -> None:
    function = make_function(make_app(), "cfg", EVERY_SETTING, EVERY_SPEC)
    data = ask('{functionBySlug(query: {functionSlug: "myapp-cfg"}) {config}}').data
    shown = data["functionBySlug"]
    assert isinstance(shown, dict)
    url = "http://localhost:21250/api/inngest?fnId=myapp-cfg&stepId=step"
    settings = {key: value for key, value in EVERY_SETTING.items() if key != "steps"}
    assert json.loads(shown["config"]) == {
        "id": str(function.id),
        "fv": 1,
        "name": "Cfg",
        "slug": "myapp-cfg",
        **settings,
        "steps": [{"id": "step", "name": "step", "uri": url, "retries": 7}],
    }


def test_the_companion_handles_failures() -> None:
    app = make_app()
    make_function(app, "hello")
    make_function(app, "hello-failure")
    make_function(make_app("other"), "x")
    assert ask("{functions {slug failureHandler {slug app {name}}}}").data["functions"] == [
        {"slug": "myapp-hello", "failureHandler": {"slug": "myapp-hello-failure", "app": {"name": "myapp"}}},
        {"slug": "myapp-hello-failure", "failureHandler": None},
        {"slug": "other-x", "failureHandler": None},
    ]


def test_other_environments_are_not_seen() -> None:
    other = Environment.objects.create(account_id=DEV_ACCOUNT_ID, name="other", slug="other")
    app = make_app("theirs", environment_id=other.id)
    make_function(app)
    assert ask("{apps {id} functions {id}}").data == {"apps": [], "functions": []}
    assert ask(f'{{app(id: "{app.id}") {{id}}}}').body["data"] == {"app": None}
    assert ask('{functionBySlug(query: {functionSlug: "theirs-hello"}) {id}}').body["data"] == {
        "functionBySlug": None
    }


def test_queries_do_not_grow_with_the_list(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for name in ("a", "b", "c"):
        app = make_app(name)
        for number in range(3):
            make_function(app, f"f{number}")
    query = "{apps {name functionCount functions {slug config app {name} failureHandler {slug}}}}"
    with django_assert_num_queries(4):  # apps, functions, definitions, failure handlers
        ask(query)
    with django_assert_num_queries(4):  # functions, apps, definitions, failure handlers
        ask("{functions {slug config triggers {value} app {name} failureHandler {slug}}}")
