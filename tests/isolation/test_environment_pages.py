"""Each page of an environment, asked for by everybody, with everybody's ids (spec 05, 1.12)."""

import pytest
import redis
from django.urls import reverse, set_script_prefix

from apps.tenancy.models import EnvironmentType
from apps.tenancy.permissions import permissions_of
from tests.isolation.cast import CAST_ROLES, Place, Stage
from tests.isolation.endpoints import endpoints, missing
from tests.isolation.ghosts import ghost_of, without_ids
from tests.isolation.pages import ENVIRONMENT_PAGES, OPEN_TO_MEMBERS, Page
from tests.isolation.snapshot import Snapshot
from tests.isolation.visitors import Visitor

URLCONF = "apps.dashboard.tenant_urls"
ADVICE = (
    "Guard its view with @requires, and add its case to ENVIRONMENT_PAGES in tests/isolation/pages.py: the "
    "permission, the ids in its path, and the form that it takes."
)


def path_of(name: str, page: Page, ids_of: Place, *, below: str) -> str:
    set_script_prefix("/")
    return below + reverse(name, urlconf=URLCONF, kwargs=dict(page.ids(ids_of)) or None) + page.query


def methods(page: Page) -> list[str]:
    return (["GET"] if page.takes_get else []) + (["POST"] if page.post is not None else [])


def form_of(page: Page, place: Place) -> object:
    return page.post(place) if page.post else None


def test_every_page_has_a_case() -> None:
    found = {endpoint.name for endpoint in endpoints(URLCONF)}
    assert not (text := missing(found, {*ENVIRONMENT_PAGES, *OPEN_TO_MEMBERS}, ADVICE)), text


@pytest.mark.parametrize("name", ENVIRONMENT_PAGES)
def test_the_view_asks_for_what_its_case_says(name: str) -> None:
    (endpoint,) = [endpoint for endpoint in endpoints(URLCONF) if endpoint.name == name]
    assert endpoint.permissions == ENVIRONMENT_PAGES[name].permissions


@pytest.mark.parametrize(
    ("name", "method"),
    [(name, method) for name, page in ENVIRONMENT_PAGES.items() for method in methods(page)],
)
def test_who_may_ask(stage: Stage, queue: "redis.Redis", name: str, method: str) -> None:
    page, place, people = ENVIRONMENT_PAGES[name], stage.production, stage.people
    form = form_of(page, place)
    path = path_of(name, page, place, below=place.path)
    before = Snapshot(queue)

    anonymous = Visitor().ask(method, path, form)
    assert (anonymous.status_code, anonymous["Location"].split("?")[0]) == (302, "/sign-in")

    stranger = Visitor(people.mallory)
    refused = stranger.ask(method, path, form)
    nowhere = stranger.ask(method, path_of(name, page, place, below="/o/nowhere/env/production"), form)
    assert refused.status_code == nowhere.status_code == 404
    assert without_ids(refused.content, place) == without_ids(nowhere.content, place)

    needed = page.needed(method)
    for role in CAST_ROLES:
        if needed not in permissions_of(role, EnvironmentType.PRODUCTION):
            answer = Visitor(people.of_role(role)).ask(method, path, form)
            assert (answer.status_code, needed in answer.content.decode()) == (403, True), role

    _assert_ids_of_others_are_unknown(stage, name, page, method)
    if method == "POST":
        assert Visitor(people.alice, checks_csrf=True).ask(method, path, form).status_code == 403
    assert before.changes() == set()

    allowed = Visitor(people.alice).ask(method, path, form)
    assert allowed.status_code in ((200,) if method == "GET" else (200, 204, 302)), allowed.content[:500]
    assert not [other.marker for other in stage.others if other.marker.encode() in allowed.content]
    if method == "POST" and page.changes:
        assert before.changes() != set()


def _assert_ids_of_others_are_unknown(stage: Stage, name: str, page: Page, method: str) -> None:
    """The answer to an id of another place is the answer to one that nobody has."""
    place, ghost = stage.production, ghost_of(stage.production)
    if not page.ids(place):
        return
    alice = Visitor(stage.people.alice)
    unknown = alice.ask(method, path_of(name, page, ghost, below=place.path), form_of(page, place))
    assert unknown.status_code == 404
    for other in stage.others:
        answer = alice.ask(method, path_of(name, page, other, below=place.path), form_of(page, place))
        assert answer.status_code == 404, other.marker
        assert without_ids(answer.content, other) == without_ids(unknown.content, ghost), other.marker


def test_what_is_done_in_one_environment_stays_in_it(stage: Stage) -> None:
    """The pages of one's own environment with the ids of the others, in a form's query too."""
    alice = Visitor(stage.people.alice)
    for other in stage.others:
        answer = alice.ask("GET", f"{stage.production.path}/events/send?like={other.event_id}")
        ghost = alice.ask("GET", f"{stage.production.path}/events/send?like={ghost_of(other).event_id}")
        assert (answer.status_code, ghost.status_code) == (404, 404)
        for parameter in ("function", "app", "q"):
            for value in (other.function.slug, other.app.name, str(other.app.id), str(other.function.id)):
                listed = alice.ask("GET", f"{stage.production.path}/runs?{parameter}={value}")
                assert other.ended_run_id.encode() not in listed.content
