"""Each page of an organisation, and each that belongs to none: asked for by everybody (spec 05, 1.12)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final
from uuid import UUID, uuid4

import pytest
import redis
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse, set_script_prefix
from django.utils import timezone

from apps.audit.services import SYSTEM
from apps.credentials.services import token_create
from apps.identity.models import User
from apps.tenancy.permissions import Permission
from tests.isolation.cast import Place, Stage
from tests.isolation.endpoints import endpoints, groups, missing
from tests.isolation.pages import ENVIRONMENT_PAGES, ORGANISATION_PAGES, WITHOUT_DECORATOR
from tests.isolation.snapshot import Snapshot
from tests.isolation.test_short_addresses import SHORT
from tests.isolation.trial import Trial
from tests.isolation.visitors import Visitor

ADVICE = (
    "Add its case to ORGANISATION_PAGES in tests/isolation/pages.py; or, if it is of no organisation, to "
    "OPEN, PERSONAL or OWN in tests/isolation/test_organisation_pages.py."
)
CASES = [(name, method) for name, page in ORGANISATION_PAGES.items() for method in page.methods]

# For people who have not signed in; what each must not do is tested where it is named.
OPEN: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "signin_setup",
            "account_login",
            "signin_sso",
            "mfa_login_webauthn",
            "mfa_authenticate",
            "account_inactive",
            "account_logout",
            "account_signup",
            "account_email_verification_sent",
            "account_reset_password",
            "account_confirm_password_reset_code",
            "account_complete_password_reset",
            "account_password_reset_completed",
        ),
        "tests/integration/identity",
    ),
    "signin_invitation": "tests/integration/identity/test_organisations.py",
    **dict.fromkeys(
        (
            "socialaccount_signup",
            "socialaccount_login_error",
            "socialaccount_login_cancelled",
            "openid_connect_callback",
            "saml_acs",
            "saml_finish_acs",
            "saml_metadata",
            "saml_sls",
        ),
        "tests/integration/identity/test_sso_saml.py",
    ),
    **dict.fromkeys(("health", "health-live", "health-ready"), "tests/integration/server/test_health.py"),
    "prometheus-metrics": "tests/integration/server/test_metrics.py",
    # Ends nothing where nothing has begun; tests/integration/organisations/test_operator_console.py
    "support-end": "tests/integration/organisations/test_operator_console.py",
    "graphql": "tests/isolation/test_calls.py",
}
# Of the person who is signed in, with nothing in the path that could name another's.
OWN: Final = frozenset(
    {
        "account_reauthenticate",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
        "signin_profile",
        "signin_theme",
        "account_email",
        "account_change_password",
        "account_set_password",
        "mfa_index",
        "mfa_activate_totp",
        "mfa_deactivate_totp",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_list_webauthn",
        "mfa_add_webauthn",
        "usersessions_list",
        "signin_tokens",
        "signin_token_create",
        "signin_organisations",
        "signin_switch",
        "socialaccount_connections",
    }
)
# The same, with an id of one's own things in the path.
PERSONAL: Final = {
    "mfa_edit_webauthn": "pk",
    "mfa_remove_webauthn": "pk",
    "signin_session_end": "session_id",
    "signin_token_revoke": "token_id",
}


def url(name: str, ids_of: Place, organisation: str) -> str:
    set_script_prefix("/")
    page = ORGANISATION_PAGES[name]
    return reverse(name, kwargs={"org": organisation, **page.fixed, **page.ids(ids_of)})


def _is_admin(name: str) -> bool:
    return name.startswith("admin:")


def test_every_page_has_a_case() -> None:
    found = {endpoint.name for endpoint in endpoints() if endpoint.name and not _is_admin(endpoint.name)}
    declared = {*ORGANISATION_PAGES, *OPEN, *OWN, *PERSONAL, *SHORT}
    assert not (text := missing(found - set(ENVIRONMENT_PAGES), declared, ADVICE)), text


@pytest.mark.parametrize("name", sorted(ORGANISATION_PAGES.keys() - WITHOUT_DECORATOR))
def test_the_view_asks_for_what_its_case_says(name: str) -> None:
    (endpoint,) = [endpoint for endpoint in endpoints() if endpoint.name == name]
    page = ORGANISATION_PAGES[name]
    assert endpoint.permissions == (page.permission, page.to_write) or name == "organisation:home"


@pytest.mark.parametrize("cases", groups(CASES), ids=lambda cases: f"{cases[0][0]} and on")
def test_who_may_ask(stage: Stage, queue: "redis.Redis", cases: list[tuple[str, str]]) -> None:
    for name, method in cases:
        page, place, others = ORGANISATION_PAGES[name], stage.staging, [stage.globex]
        Trial(name, stage, page, method, place, others, None, partial(url, name)).run(queue)


def test_pages_of_a_person_are_for_people(stage: Stage, queue: "redis.Redis") -> None:
    before = Snapshot(queue)
    for name in sorted(OWN):
        for method in ("GET", "POST"):
            answer = Visitor().ask(method, reverse(name))
            assert answer.status_code == 302, name
            assert answer["Location"].split("?")[0] in ("/sign-in", "/sign-up"), name
        forged = Visitor(stage.people.alice, checks_csrf=True).ask("POST", reverse(name))
        assert forged.status_code in (403, 405), name
    assert before.changes() == set()


@pytest.mark.parametrize("name", PERSONAL)
def test_another_persons_things_are_unknown(stage: Stage, queue: "redis.Redis", name: str) -> None:
    mallory, parameter = stage.people.mallory, PERSONAL[name]
    theirs, nobodys = _THINGS[parameter](mallory)
    before = Snapshot(queue)
    alice = Visitor(stage.people.alice)
    for method in ("GET", "POST"):
        answer = alice.ask(method, reverse(name, kwargs={parameter: theirs}))
        unknown = alice.ask(method, reverse(name, kwargs={parameter: nobodys}))
        assert answer.status_code == unknown.status_code
        assert answer.status_code in (302, 404, 405)
        assert answer.status_code != 302 or answer["Location"].startswith("/confirm")
        anonymous = Visitor().ask(method, reverse(name, kwargs={parameter: theirs}))
        assert anonymous["Location"].split("?")[0] == "/sign-in"
    assert before.changes() == set()
    assert UserSession.objects.filter(user=mallory).exists() == (parameter == "session_id")


def _passkey_of(person: User) -> tuple[int, int]:
    key = Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data={})
    return key.pk, key.pk + 1000


def _token_of(person: User) -> tuple[UUID, UUID]:
    account = person.memberships.get().account
    token, _ = token_create(
        account=account, user=person, name="cli", permissions=[Permission.VIEW], actor=SYSTEM
    )
    return token.id, uuid4()


def _session_of(person: User) -> tuple[int, int]:
    row = UserSession.objects.create(
        user=person,
        session_key="mallorys",
        ip="192.0.2.1",
        user_agent="tests",
        created_at=timezone.now(),
        last_seen_at=timezone.now(),
    )
    return row.pk, row.pk + 1000


# By the parameter: the id of something of a person's, and one that nobody has.
_THINGS: Final[Mapping[str, Callable[[User], tuple[object, object]]]] = {
    "pk": _passkey_of,
    "session_id": _session_of,
    "token_id": _token_of,
}


def test_the_operators_console_is_for_operators(stage: Stage, queue: "redis.Redis") -> None:
    """Owners of organisations are no operators, and find what strangers find."""
    before = Snapshot(queue)
    console = [endpoint for endpoint in endpoints() if endpoint.route.startswith("admin/")]
    assert len(console) > 40
    paths = ["/" + endpoint.route.replace("<path:object_id>", "1") for endpoint in console]
    paths = [path for path in paths if "<" not in path and "(" not in path]
    for path in paths:
        for visitor in (Visitor(), Visitor(stage.people.alice)):
            for method in ("GET", "POST"):
                answer = visitor.ask(method, path)
                assert answer.status_code in (302, 403, 404), path
                target = answer.get("Location", "/sign-in").split("?")[0]
                assert target == "/sign-in", path
    assert before.changes() == set()


def test_an_operator_sees_nothing_where_it_is_not_allowed(stage: Stage) -> None:
    """Globex does not allow it, and nobody else is an operator."""
    operator = Visitor(stage.people.oscar).looks_into(stage.globex.account)
    assert operator.ask("GET", f"{stage.globex.path}/runs").status_code == 404
    mallory = Visitor(stage.people.mallory).looks_into(stage.acme)
    assert mallory.ask("GET", f"{stage.production.path}/runs").status_code == 404


def test_an_unprefixed_page_leads_to_ones_own_place(stage: Stage) -> None:
    for person, home in ((stage.people.alice, "acme"), (stage.people.mallory, "globex")):
        answer = Visitor(person).ask("GET", f"/runs/{stage.production.ended_run_id}")
        assert answer["Location"].startswith(f"/o/{home}/env/production/runs/")
    assert Client().get("/runs")["Location"].startswith("/sign-in")
