"""What roles see and may do on the pages of runs, events, functions and apps."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from apps.audit.actors import SYSTEM
from apps.audit.models import AuditEntry
from apps.credentials.services.provisioning import organisation_provision
from apps.identity.models import User
from apps.registry.models import App, Function
from apps.runs.models import Run
from apps.tenancy.models import DEV_ACCOUNT_ID, DEV_ENVIRONMENT_ID, Account, Environment, Membership, Role
from apps.tenancy.services.environments import environment_archive
from tests.browser import seed_history, seed_registry
from tests.browser import seed_ids as ids
from tests.browser.seed_history import step_key
from tests.integration.dashboard.pages import fragment, text
from tests.integration.identity.people import PASSWORD, Visitor


class Shop:
    """The organisation whose production environment holds the seed of the browser tests."""

    def __init__(self) -> None:
        self.account = Account.objects.get(id=DEV_ACCOUNT_ID)
        self.environment = Environment.objects.get(id=DEV_ENVIRONMENT_ID)
        self.root = f"/o/{self.account.slug}/env/{self.environment.slug}"

    def member(self, role: Role) -> Client:
        user = User.objects.create_user(f"{role}@shop.test", PASSWORD)
        Membership.objects.create(account=self.account, user=user, role=role)
        browser = Visitor()
        browser.force_login(user)
        return browser


@pytest.fixture
def shop(server: object) -> Shop:
    seed_registry.write()
    seed_history.write_full()
    return Shop()


def test_without_the_right_to_data_pages_leave_it_out(shop: Shop) -> None:
    auditor, viewer = shop.member(Role.AUDITOR), shop.member(Role.VIEWER)
    step = step_key("make-invoice")
    run = f"{shop.root}/runs/{ids.COMPLETED_RUN}?open=~{step}&open=0~{step}"
    for secret in ("INV-A-1042", "The invoice service did not answer"):
        assert secret in text(viewer.get(run))
        assert secret not in text(auditor.get(run))
    assert "Your role sees what happened, not the data" in text(auditor.get(run))
    assert "Card was declined" not in text(auditor.get(f"{shop.root}/runs/{ids.FAILED_RUN}"))
    event = text(auditor.get(f"{shop.root}/events/{ids.BUSY_EVENT}"))
    assert "what it holds" in event
    assert 'id="event-payload"' not in event
    for path in (f"runs/{ids.COMPLETED_RUN}/payload?part=output", f"events/{ids.BUSY_EVENT}/payload"):
        assert viewer.get(f"{shop.root}/{path}").status_code == 200
        assert auditor.get(f"{shop.root}/{path}").status_code == 403


WRITES = [
    f"/runs/{ids.RUNNING_RUN}/cancel",
    f"/runs/{ids.COMPLETED_RUN}/rerun",
    "/events/send",
    "/functions/shop-fulfil-order/pause",
    "/functions/shop-fulfil-order/resume",
    "/functions/shop-fulfil-order/drain",
    "/functions/shop-fulfil-order/undrain",
    "/functions/shop-fulfil-order/invoke",
    "/apps/add",
    f"/apps/{ids.SHOP}/sync",
    f"/apps/{ids.SHOP}/remove",
]


@pytest.mark.parametrize("path", WRITES)
def test_who_only_looks_changes_nothing(shop: Shop, path: str) -> None:
    before = (App.objects.count(), Run.objects.count(), Function.objects.filter(archived_at=None).count())
    body = {"body": '{"name": "a"}', "url": "http://127.0.0.1:1"}
    for role in (Role.VIEWER, Role.AUDITOR, Role.DEVELOPER):
        response = shop.member(role).post(f"{shop.root}{path}", body)
        assert response.status_code == 403
        assert "This needs the permission" in text(response)
    after = (App.objects.count(), Run.objects.count(), Function.objects.filter(archived_at=None).count())
    assert after == before
    assert not AuditEntry.objects.filter(account_id=shop.account.id).exists()


@pytest.mark.parametrize("path", WRITES)
def test_a_refusal_in_the_dialog_is_a_dialog(shop: Shop, path: str) -> None:
    response = fragment(shop.member(Role.VIEWER), f"{shop.root}{path}", "dialog-body")
    if response.status_code != 405:
        assert response.status_code == 403
        assert 'id="dialog-title"' in text(response)


def test_a_refusal_says_what_one_is_and_where_those_are_who_can(shop: Shop) -> None:
    viewer, members = shop.member(Role.VIEWER), f"/o/{shop.account.slug}/settings/members"
    html = text(viewer.get(f"{shop.root}/apps/add"))
    assert f"Your role in {shop.account.name} is viewer." in html
    assert f'<a class="button" href="{members}">' in html
    assert viewer.get(members).status_code == 200
    dialog = text(fragment(viewer, f"{shop.root}/apps/add", "dialog-body"))
    assert f"Your role in {shop.account.name} is viewer." in dialog


def test_a_viewer_has_no_controls(shop: Shop) -> None:
    viewer = shop.member(Role.VIEWER)
    for path in ("/runs", f"/runs/{ids.RUNNING_RUN}", "/functions", "/functions/shop-fulfil-order", "/apps"):
        html = text(viewer.get(f"{shop.root}{path}"))
        for control in (
            ">Cancel<",
            ">Rerun<",
            ">Invoke<",
            ">Pause<",
            ">Sync now<",
            ">Add app<",
            ">Send event<",
        ):
            assert control.strip("<>") + "</" not in html.split('id="main"')[1]


def test_a_developer_learns_who_can_in_production(shop: Shop) -> None:
    html = text(shop.member(Role.DEVELOPER).get(f"{shop.root}/runs/{ids.RUNNING_RUN}"))
    assert 'aria-disabled="true" title="This needs the permission run.cancel' in html
    assert f"/runs/{ids.RUNNING_RUN}/cancel" not in html


def test_an_operator_acts_on_record(shop: Shop) -> None:
    operator = shop.member(Role.OPERATOR)
    response = operator.post(f"{shop.root}/apps/{ids.BROKEN}/remove")
    assert response["Location"] == f"{shop.root}/apps"
    entry = AuditEntry.objects.get(account_id=shop.account.id)
    assert (entry.action, entry.actor_label) == ("app.archive", "operator@shop.test")


def test_an_archived_environment_starts_nothing(shop: Shop, alice: User) -> None:
    Environment.objects.create(account=shop.account, name="P2", name_norm="p2", slug="p2")
    environment_archive(environment=shop.environment, actor=SYSTEM)
    operator = shop.member(Role.OPERATOR)
    html = text(operator.get(f"{shop.root}/runs/{ids.COMPLETED_RUN}"))
    assert 'title="The environment is archived.' in html
    response = operator.post(f"{shop.root}/runs/{ids.COMPLETED_RUN}/rerun")
    assert response.status_code == 409


def test_runs_of_elsewhere_are_not_there(shop: Shop, stranger: User) -> None:
    organisation_provision(name="Elsewhere", owner=stranger, actor=SYSTEM)
    browser = Visitor()
    browser.force_login(stranger)
    own = "/o/elsewhere/env/production"
    for path in (f"/runs/{ids.COMPLETED_RUN}", f"/events/{ids.BUSY_EVENT}", "/functions/shop-fulfil-order"):
        assert browser.get(f"{own}{path}").status_code == 404
    found = text(fragment(browser, f"{own}/palette?q={ids.COMPLETED_RUN}", "palette-results"))
    assert "Nothing is called so." in found


def test_the_palette_finds_by_name_and_by_id(shop: Shop) -> None:
    viewer = shop.member(Role.VIEWER)
    staging = Environment.objects.create(
        account=shop.account, type="test", name="Staging", name_norm="staging", slug="staging"
    )
    by_name = text(fragment(viewer, f"{shop.root}/palette?q=fulfil", "palette-results"))
    assert f'href="{shop.root}/functions/shop-fulfil-order"' in by_name
    here = text(fragment(viewer, f"{shop.root}/palette?q={ids.COMPLETED_RUN.lower()}", "palette-results"))
    assert f'href="{shop.root}/runs/{ids.COMPLETED_RUN}"' in here
    there = f"/o/{shop.account.slug}/env/{staging.slug}"
    found = text(fragment(viewer, f"{there}/palette?q={ids.BUSY_EVENT}", "palette-results"))
    assert f'href="{shop.root}/events/{ids.BUSY_EVENT}"' in found
    assert f"in {shop.environment.name}" in found
    pages = text(fragment(viewer, f"{shop.root}/palette?q=", "palette-results"))
    assert "Signing key" in pages


def test_the_switchers_keep_the_section(shop: Shop) -> None:
    staging = Environment.objects.create(
        account=shop.account, type="test", name="Staging", name_norm="staging", slug="staging"
    )
    viewer = shop.member(Role.VIEWER)
    html = text(viewer.get(f"{shop.root}/functions/shop-fulfil-order"))
    assert f'href="/o/{shop.account.slug}/env/{staging.slug}/functions"' in html
    html = text(viewer.get(f"{shop.root}/manage/webhooks"))
    assert f'href="/o/{shop.account.slug}/env/{staging.slug}/manage/webhooks"' in html


def test_switches_of_a_function_are_on_record(shop: Shop) -> None:
    operator = shop.member(Role.OPERATOR)
    _switch(shop, operator, {"drain": 302, "undrain": 302, "pause": 302, "resume": 302})


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_switches_that_redis_has_not_heard_of_are_on_record_too(shop: Shop, settings: Settings) -> None:
    """They are stored, and Redis hears of them when it is back."""
    operator = shop.member(Role.OPERATOR)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    _switch(shop, operator, {"drain": 422, "undrain": 302, "pause": 422, "resume": 302})


def _switch(shop: Shop, operator: Client, statuses: dict[str, int]) -> None:
    """Press each, with the status that it must have, and see them all in the log."""
    url = f"{shop.root}/functions/shop-fulfil-order"
    found = {verb: operator.post(f"{url}/{verb}", {"runs": "keep"}).status_code for verb in statuses}
    entries = AuditEntry.objects.filter(target_id=str(ids.FULFIL)).order_by("number")
    assert (found, [entry.action for entry in entries]) == (
        statuses,
        [f"function.{verb}" for verb in statuses],
    )
