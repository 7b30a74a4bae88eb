"""Nothing that a tenant names or sends is markup on any page (docs/THREAT_MODEL.md)."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse, set_script_prefix

from apps.credentials.models import ApiKey, EventKey, PersonalToken
from apps.events.models import Event
from apps.registry.models import App, Function, Sync
from apps.runs.models import RunPayload, StepAttempt, StepPayload
from apps.signin.models import SsoConnection
from apps.tenancy.models import Account, Environment, Invitation
from apps.webhooks.models import Delivery
from tests.integration.security.hostile import LIVE, MARKUP
from tests.isolation.cast import Place, Stage, make_stage
from tests.isolation.pages import ENVIRONMENT_PAGES, ORGANISATION_PAGES
from tests.isolation.visitors import Visitor


@pytest.fixture
def stage(db: None, server: None) -> Stage:
    return make_hostile()


@pytest.fixture
def hostile(stage: Stage) -> Place:
    return stage.production


def make_hostile() -> Stage:
    """With markup in everything that people and apps of Acme's production name."""
    stage = make_stage(MARKUP)
    place, environment = stage.production, stage.production.environment
    Account.objects.filter(id=environment.account_id).update(name=MARKUP)
    Environment.objects.all().update(name=MARKUP)
    get_user_model().objects.filter(id=stage.people.dora.id).update(name=MARKUP)
    Invitation.objects.all().update(email=MARKUP)
    ApiKey.objects.all().update(name=MARKUP)
    PersonalToken.objects.create(account=environment.account, user=stage.people.alice, name=MARKUP)
    EventKey.objects.filter(environment=environment).update(name=MARKUP)
    SsoConnection.objects.all().update(name=MARKUP)
    App.objects.filter(id=place.app.id).update(
        error=MARKUP, error_detail=MARKUP, sdk_language=MARKUP, sdk_version=MARKUP, framework=MARKUP
    )
    Sync.objects.filter(app=place.app).update(error=MARKUP)
    Function.objects.filter(id=place.function.id).update(name=MARKUP)
    error = f'{{"name": "{_json(MARKUP)}", "message": "{_json(MARKUP)}", "stack": "{_json(MARKUP)}"}}'
    RunPayload.objects.filter(run_id=place.ended_run_id).update(output=error)
    StepAttempt.objects.filter(run_id=place.ended_run_id).update(name=MARKUP)
    StepPayload.objects.filter(run_id=place.ended_run_id).update(error=error, output=error, input=error)
    Event.objects.filter(internal_id=place.event_id).update(external_id=MARKUP)
    Delivery.objects.filter(id=place.ids["delivery"]).update(
        error=MARKUP, headers={MARKUP: MARKUP}, query={MARKUP: [MARKUP]}, body=MARKUP.encode()
    )
    return stage


def _json(text: str) -> str:
    return text.replace('"', '\\"')


def shown_paths(place: Place) -> list[str]:
    """Every page that can be looked at, with hostile words in its address too."""
    set_script_prefix("/")
    paths = []
    for name, page in ENVIRONMENT_PAGES.items():
        if page.takes_get:
            kwargs = {**page.fixed, **page.ids(place)}
            path = reverse(name, urlconf="apps.dashboard.tenant_urls", kwargs=kwargs or None)
            paths.append(place.path + path)
    for name, page in ORGANISATION_PAGES.items():
        if page.takes_get:
            paths.append(reverse(name, kwargs={"org": place.account.slug, **page.fixed, **page.ids(place)}))
    searches = ("runs?q=", "runs?event=", "events?q=", "events?name=", "palette?q=", "functions?q=")
    paths += [f"{place.path}/{search}{MARKUP.replace('#', '')}" for search in searches]
    token = PersonalToken.objects.get(name=MARKUP)
    paths += ["/profile/tokens", f"/profile/tokens/{token.id}/revoke"]
    return [*paths, f"/profile?next={MARKUP}", f"/sign-in?next={MARKUP}", "/orgs", f"/nowhere/{MARKUP}"]


def test_no_page_has_live_markup(stage: Stage, hostile: Place) -> None:
    alice, seen = Visitor(stage.people.alice), 0
    for path in shown_paths(hostile):
        answer = alice.ask("GET", path)
        assert answer.status_code in (200, 302, 404, 422), path
        if answer["Content-Type"].startswith("text/html"):
            text = answer.content.decode()
            assert LIVE not in text, path
            seen += "onerror=document" in text
    assert seen > 15, "the markup is on hardly any page"


def test_no_fragment_has_live_markup(stage: Stage, hostile: Place) -> None:
    alice = Visitor(stage.people.alice)
    for target, path in (
        ("runs-list", "runs"),
        ("run", f"runs/{hostile.ended_run_id}"),
        ("events-list", "events"),
        ("refused-requests", "events"),
        ("event-outcome", f"events/{hostile.event_id}"),
        ("apps-list", "apps"),
        ("palette-results", f"palette?q={MARKUP}"),
    ):
        headers = {"HX-Request": "true", "HX-Target": target}
        answer = alice.ask("GET", f"{hostile.path}/{path}", headers=headers)
        assert answer.status_code == 200
        assert LIVE not in answer.content.decode(), path


def test_what_is_typed_into_forms_comes_back_as_text(stage: Stage, hostile: Place) -> None:
    alice = Visitor(stage.people.alice)
    for path, form in (
        ("events/send", {"body": MARKUP}),
        ("apps/add", {"url": MARKUP}),
        ("manage/keys/create", {"name": MARKUP * 10}),
        ("manage/webhooks/create", {"name": MARKUP * 10}),
        ("settings/name", {"value": MARKUP * 10}),
    ):
        answer = alice.ask("POST", f"{hostile.path}/{path}", form)
        assert answer.status_code in (302, 422), path
        assert LIVE not in answer.content.decode(), path


def test_files_are_files(stage: Stage, hostile: Place) -> None:
    """Payloads are never shown by the browser itself."""
    alice = Visitor(stage.people.alice)
    for path in (f"runs/{hostile.ended_run_id}/payload", f"events/{hostile.event_id}/payload"):
        answer: Any = alice.ask("GET", f"{hostile.path}/{path}")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
        assert answer["X-Content-Type-Options"] == "nosniff"
        name = answer["Content-Disposition"]
        assert name.startswith("attachment; filename=")
        assert "/" not in name
        assert "\\" not in name


def test_interfaces_answer_in_types_that_nothing_runs_in(stage: Stage, hostile: Place) -> None:
    for path in (f"/v1/runs/{MARKUP}", f"/v1/events/{MARKUP}", f"/fn/remove?url={MARKUP}", f"/v1/{MARKUP}"):
        answer = Visitor().ask("GET", path)
        assert not answer["Content-Type"].startswith("text/html") or not answer.content, path
        assert answer["X-Content-Type-Options"] == "nosniff"
