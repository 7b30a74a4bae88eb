"""Every page of server mode: there for members, absent for strangers, whole without htmx."""

import pytest
from django.test import Client

from apps.audit.actors import SYSTEM
from apps.identity.models import User
from apps.tenancy.models import Account, Environment
from apps.webhooks.services.webhooks import webhook_create
from tests.integration.dashboard.pages import text
from tests.integration.organisations.conftest import SignedIn

IN_ENVIRONMENT = [
    *("/runs", "/events", "/functions", "/apps", "/events/send", "/apps/add", "/palette", "/start"),
    *("/manage/keys", "/manage/keys/create", "/manage/signing-key", "/manage/webhooks"),
    *("/manage/webhooks/create", "/settings"),
]
IN_ORGANISATION = [
    *("/env", "/create-environment", "/palette", "/settings/general", "/settings/general/delete"),
    *("/settings/members", "/settings/members/invite", "/settings/members/leave", "/settings/api-keys"),
    *("/settings/api-keys/create", "/settings/audit"),
]
PAGES = [f"/o/acme/env/production{path}" for path in IN_ENVIRONMENT]
PAGES += [f"/o/acme{path}" for path in IN_ORGANISATION]


@pytest.mark.parametrize("url", PAGES)
def test_the_owner_sees_every_page_in_the_shell(signed_in: SignedIn, alice: User, url: str) -> None:
    html = text(signed_in(alice).get(url))
    assert html.startswith("<!doctype html>")
    assert 'aria-label="Pages"' in html
    assert " style=" not in html
    assert html.count("<script") == html.count("<script src=")


@pytest.mark.parametrize("url", PAGES)
def test_a_stranger_finds_nothing(signed_in: SignedIn, elsewhere: Account, stranger: User, url: str) -> None:
    response = signed_in(stranger).get(url)
    assert response.status_code == 404
    assert "Acme" not in text(response)


@pytest.mark.parametrize("url", PAGES)
def test_whoever_has_not_signed_in_is_asked_to(acme: Account, url: str) -> None:
    response = Client().get(url)
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in?next=%2Fo%2Facme")


@pytest.mark.parametrize("url", PAGES)
def test_dev_mode_has_no_organisations(acme: Account, server: object, url: str) -> None:
    server.STEPWELL_MODE = "dev"  # type: ignore[attr-defined]
    assert Client().get(url).status_code == 404


def test_the_pages_of_what_is_there(signed_in: SignedIn, alice: User, production: Environment) -> None:
    hook = webhook_create(environment=production, name="Payments", preset="stripe", actor=SYSTEM)
    browser = signed_in(alice)
    for url in ("/manage/webhooks", f"/manage/webhooks/{hook.id}", f"/manage/webhooks/{hook.id}/rename"):
        assert "Payments" in text(browser.get(f"/o/acme/env/production{url}"))
