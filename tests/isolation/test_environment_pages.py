"""Each page of an environment, asked for by everybody, with everybody's ids (spec 05, 1.12)."""

import uuid
from functools import partial

import pytest
import redis
from django.urls import reverse, set_script_prefix

from apps.registry.models import Sync
from apps.tenancy.models import EnvironmentType
from tests.isolation.cast import Place, Stage
from tests.isolation.endpoints import endpoints, groups, missing
from tests.isolation.ghosts import ghost_of, without_ids
from tests.isolation.pages import ENVIRONMENT_PAGES
from tests.isolation.trial import Trial
from tests.isolation.visitors import Visitor

URLCONF = "apps.dashboard.tenant_urls"
ADVICE = (
    "Guard its view with @requires, and add its case to ENVIRONMENT_PAGES in tests/isolation/pages.py: the "
    "permission, the ids in its path, and the form that it takes."
)
CASES = [(name, method) for name, page in ENVIRONMENT_PAGES.items() for method in page.methods]


def url(name: str, ids_of: Place, organisation: str) -> str:
    set_script_prefix("/")
    page = ENVIRONMENT_PAGES[name]
    path = reverse(name, urlconf=URLCONF, kwargs={**page.fixed, **page.ids(ids_of)} or None)
    return f"/o/{organisation}/env/production{path}{page.query}"


def test_every_page_has_a_case() -> None:
    found = {endpoint.name for endpoint in endpoints(URLCONF)}
    assert not (text := missing(found, set(ENVIRONMENT_PAGES), ADVICE)), text


@pytest.mark.parametrize("name", ENVIRONMENT_PAGES)
def test_the_view_asks_for_what_its_case_says(name: str) -> None:
    (endpoint,) = [endpoint for endpoint in endpoints(URLCONF) if endpoint.name == name]
    page = ENVIRONMENT_PAGES[name]
    expected = None if page.permission is None else (page.permission, page.to_write)
    assert endpoint.permissions == expected


@pytest.mark.parametrize("cases", groups(CASES), ids=lambda cases: f"{cases[0][0]} and on")
def test_who_may_ask(stage: Stage, queue: "redis.Redis", cases: list[tuple[str, str]]) -> None:
    kind = EnvironmentType.PRODUCTION
    for name, method in cases:
        page, place = ENVIRONMENT_PAGES[name], stage.production
        Trial(name, stage, page, method, place, stage.others, kind, partial(url, name)).run(queue)


def test_filters_and_searches_stay_in_the_environment(stage: Stage) -> None:
    """Whatever is looked for, with the words that would find it elsewhere."""
    alice = Visitor(stage.people.alice)
    for other in stage.others:
        for ident in (other.event_id, ghost_of(other).event_id):
            assert alice.ask("GET", f"{stage.production.path}/events/send?like={ident}").status_code == 404
        words = (other.function.slug, other.app.name, other.app.id, other.function.id, other.ended_run_id)
        for word in words:
            for query in (f"runs?function={word}", f"runs?app={word}", f"runs?q={word}", f"palette?q={word}"):
                answer = alice.ask("GET", f"{stage.production.path}/{query}")
                shown = answer.content.replace(str(word).encode(), b"")
                assert other.marker.encode() not in shown, query
                assert f'{other.ended_run_id}"'.encode() not in shown, query


def test_a_sync_of_another_place_is_one_that_nobody_has(stage: Stage) -> None:
    alice, place = Visitor(stage.people.alice), stage.production
    own = Sync.objects.get(app=place.app).id
    assert alice.ask("GET", f"{place.path}/apps/{place.app.id}/syncs?sync-id={own}").status_code == 200
    for page in (f"apps/{place.app.id}/syncs", "unattached-syncs"):
        unknown = alice.ask("GET", f"{place.path}/{page}?sync-id={uuid.uuid4()}")
        for other in stage.others:
            sync_id = Sync.objects.get(app=other.app).id
            answer = alice.ask("GET", f"{place.path}/{page}?sync-id={sync_id}")
            assert (answer.status_code, unknown.status_code) == (404, 404)
            assert without_ids(answer.content, other) == without_ids(unknown.content, other)
