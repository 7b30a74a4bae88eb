"""The pages of the operator console: for operators only, in a fixed number of queries, without secrets, and
without a way to delete or add anything."""

import re
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from pytest_django.fixtures import Settings

from apps.audit.models import AuditEntry
from apps.audit.services import INSTALLATION_ID
from apps.dashboard.console import queue, stores
from apps.dashboard.console.configuration import ADDRESSES, SECRET, SHOWN, address_of, configuration
from apps.dashboard.console.groups import TASKS
from apps.identity.console.columns import page_of
from apps.identity.console.pages import ConsoleAdmin, NewestAdmin
from apps.identity.models import User
from apps.tenancy.models import Account
from tests.integration.dashboard.pages import text
from tests.integration.identity.people import PASSWORD
from tests.integration.organisations import console_rows
from tests.integration.organisations.conftest import SignedIn
from tests.integration.organisations.console_rows import populate

PAGES = {model._meta.label: page for model, page in admin.site._registry.items()}
LABELS = sorted(PAGES)
# The session and its user, where the person may sign in, and what the page itself asks.
MOST_QUERIES = 12


@pytest.fixture
def rex(server: object) -> User:
    """Operates the server, and is in no organisation."""
    return User.objects.create_superuser("rex@server.test", PASSWORD, name="Rex")


def list_of(row: Model) -> str:
    """The list that shows the row: some want to know of which app or function."""
    page = PAGES[row._meta.label]
    path = page_of(row).rsplit("/", 3)[0] + "/"
    parent = page.parent if isinstance(page, NewestAdmin) else None
    return path if parent is None else f"{path}?{parent[0]}={getattr(row, parent[0]).pk}"


def queries_of(browser: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(url).status_code == 200, url
    return len(queries)


def test_each_page_has_its_place_and_its_words() -> None:
    assert sorted(label for task in TASKS for label, _ in task.models) == LABELS
    for page in PAGES.values():
        assert isinstance(page, ConsoleAdmin)
        assert page.called[0], page
        assert page.about.endswith("."), page
        assert page.show_full_result_count is False, page


@pytest.mark.parametrize("label", LABELS)
def test_a_list_and_a_page_take_a_fixed_number_of_queries(signed_in: SignedIn, rex: User, label: str) -> None:
    browser, row = signed_in(rex), populate(1)[label]
    urls = [list_of(row), page_of(row)]
    for url in urls:  # Django remembers content types from then on
        browser.get(url)
    before = [queries_of(browser, url) for url in urls]
    for number in (2, 3, 4):
        populate(number)
    assert [queries_of(browser, url) for url in urls] == before
    assert max(before) <= MOST_QUERIES


def test_the_overview_takes_a_fixed_number_of_queries(signed_in: SignedIn, rex: User, acme: Account) -> None:
    browser = signed_in(rex)
    browser.get("/admin/")
    before = queries_of(browser, "/admin/")
    for number in (1, 2, 3):
        populate(number)
    assert queries_of(browser, "/admin/") == before
    assert before <= 16


@pytest.mark.parametrize("label", LABELS)
def test_a_row_is_listed_and_found(signed_in: SignedIn, rex: User, label: str) -> None:
    browser, row = signed_in(rex), populate(1)[label]
    assert f'href="{page_of(row)}' in text(browser.get(list_of(row)))
    if PAGES[label].search_fields:
        joined = "&" if "?" in list_of(row) else "?"
        assert "Nothing matches" in text(browser.get(f"{list_of(row)}{joined}q=nobody-has-this"))


@pytest.mark.parametrize("label", LABELS)
def test_only_operators_see_it(signed_in: SignedIn, rex: User, alice: User, label: str) -> None:
    row = populate(1)[label]
    stranger, owner = Client(HTTP_HOST="testserver"), signed_in(alice)
    for url in (list_of(row), page_of(row), "/admin/"):
        assert owner.get(url).status_code == 404
        assert owner.post(url).status_code == 404
        assert stranger.get(url)["Location"].startswith("/sign-in")


@pytest.mark.parametrize("label", LABELS)
def test_no_page_shows_a_secret(signed_in: SignedIn, rex: User, label: str) -> None:
    browser, rows = signed_in(rex), populate(1)
    row = rows[label]
    key, signing = rows["credentials.EventKey"], rows["credentials.SigningKey"]
    secrets = [console_rows.SECRET, *(str(getattr(key, name)) for name in ("value_hash", "value_encrypted"))]
    secrets += [str(getattr(signing, name)) for name in ("bearer_hash", "value_encrypted")]
    for url in (list_of(row), page_of(row)):
        html = text(browser.get(url))
        assert [secret for secret in secrets if secret in html] == []


def test_a_development_server_has_no_operator(acme: Account, settings: Settings) -> None:
    """Nobody signs in to it."""
    settings.STEPWELL_MODE = "dev"
    for path in ("/admin/", "/admin/login/", "/admin/tenancy/account/"):
        assert Client(HTTP_HOST="testserver").get(path).status_code == 404


def _routes() -> Iterator[str]:
    [console] = [entry for entry in get_resolver().url_patterns if getattr(entry, "namespace", "") == "admin"]
    for entry in console.url_patterns:  # type: ignore[union-attr]
        yield from (str(url.name) for url in getattr(entry, "url_patterns", [entry]) if url.name)


def test_there_is_no_way_to_add_or_delete() -> None:
    """Not even an address of it: services do that, on record."""
    names = set(_routes()) - {"index", "login", "app_list"}
    assert {name.rsplit("_", 1)[1] for name in names} == {"changelist", "change"}
    assert len(names) == 2 * len(PAGES)
    assert [name for name, _ in admin.site.actions] == []


@pytest.mark.parametrize("label", LABELS)
def test_what_is_read_only_stays_as_it_is(signed_in: SignedIn, rex: User, label: str) -> None:
    row = populate(1)[label]
    browser = signed_in(rex)
    for ending in ("add/", f"{row.pk}/delete/", f"{row.pk}/history/"):
        assert browser.post(page_of(row).rsplit("/", 3)[0] + f"/{ending}").status_code == 404
    delete = {"action": "delete_selected", "_selected_action": [str(row.pk)], "confirmed": "yes"}
    browser.post(list_of(row), delete)
    assert type(row)._default_manager.filter(pk=row.pk).exists()
    if label not in ("tenancy.Account", "identity.User"):
        assert browser.post(page_of(row), {"name": "changed"}).status_code == 403
        assert 'type="submit">' not in text(browser.get(page_of(row))).split("</aside>")[1]


def test_entries_of_the_audit_log_are_of_the_server_unless_an_organisation_is_chosen(
    signed_in: SignedIn, rex: User, acme: Account
) -> None:
    populate(1)
    browser, path = signed_in(rex), "/admin/audit/auditentry/"
    own = text(browser.get(path))
    assert "Person 1" in own
    assert "account.create" not in own
    of_acme = text(browser.get(f"{path}?account={acme.id}"))
    assert "account.create" in of_acme
    assert "Person 1" not in of_acme
    entry = AuditEntry.objects.get(account_id=INSTALLATION_ID)
    assert browser.post(page_of(entry), {"action": "other"}).status_code == 403


def test_hot_tables_are_walked_along_an_index(signed_in: SignedIn, rex: User, acme: Account) -> None:
    """Nothing counts them, sorts them, or asks for what has no index."""
    rows = populate(1)
    browser = signed_in(rex)
    environment = rows["tenancy.Environment"].pk
    chosen = {"audit.AuditEntry": f"account={acme.id}"}
    for label in ("runs.Run", "events.Event", "audit.AuditEntry"):
        path, table = list_of(rows[label]), rows[label]._meta.db_table
        of = chosen.get(label, f"environment={environment}")
        for url in (path, f"{path}?all=", f"{path}?p=7", f"{path}?o=3", f"{path}?{of}"):
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(url).status_code == 200
            asked = [query["sql"] for query in queries if f'FROM "{table}"' in query["sql"]]
            assert len(asked) == 1, url
            assert "LIMIT 50" in asked[0], url
            assert not re.search(r'ORDER BY "\w+"\."(status|name|action)"', asked[0]), url
        assert browser.get(f"{path}?version__gt=1&name__contains=x&action__contains=x").status_code == 400


def test_a_list_of_everything_that_apps_synced_is_not_made(signed_in: SignedIn, rex: User) -> None:
    browser = signed_in(rex)
    assert browser.get("/admin/registry/sync/")["Location"] == "/admin/registry/app/"
    assert browser.get("/admin/registry/functionversion/")["Location"] == "/admin/registry/function/"


def test_ids_find_runs_and_events(signed_in: SignedIn, rex: User) -> None:
    rows, browser = populate(1), signed_in(rex)
    populate(2)
    for label, name in (("runs.Run", "run_id"), ("events.Event", "internal_id")):
        html = text(browser.get(f"{list_of(rows[label])}?q={getattr(rows[label], name).lower()}"))
        assert page_of(rows[label]) in html
        assert html.count('class="row-link"') == 1
        assert "Tenant 1" in html


def test_a_page_leads_to_what_belongs_to_it(signed_in: SignedIn, rex: User) -> None:
    rows, browser = populate(1), signed_in(rex)
    populate(2)
    account = rows["tenancy.Account"]
    html = text(browser.get(page_of(account)))
    related = re.findall(rf'href="(/admin/[^"]+\?[a-z]+={account.pk})"', html)
    assert len(related) == 13
    for url in related:
        listed = text(browser.get(url)).split("<main")[1]
        assert "Organisation: Tenant 1" in listed, url
        assert "Tenant 2" not in listed, url


def test_an_id_of_nothing_shows_nothing(signed_in: SignedIn, rex: User) -> None:
    populate(1)
    browser = signed_in(rex)
    for value in ("nonsense", "00000000-0000-4000-8000-000000000000"):
        html = text(browser.get(f"/admin/tenancy/environment/?account={value}"))
        assert "which is not there" in html
        assert "Nothing matches" in html


def test_the_overview_tells_how_the_server_is(signed_in: SignedIn, rex: User, acme: Account) -> None:
    html = text(signed_in(rex).get("/admin/"))
    for title in ("Queue, shard 0", "Invariants, shard 0", "Database", "Redis", "Roles"):
        assert f">{title}</h2>" in html
    assert "Pending migrations" in html
    for task in TASKS:
        assert task.title in html


def test_the_overview_answers_without_redis(
    signed_in: SignedIn, rex: User, server: object, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """It is where an operator looks then."""
    browser = signed_in(rex)
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    html = text(browser.get("/admin/"))
    assert html.count("Does not answer") == 3


def test_migrations_that_wait_are_told(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    assert stores.database_card().state.label == "Well"
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: [object(), object()])
    card = stores.database_card()
    assert (card.state.label, card.facts[-1].value) == ("Migrations wait", "2")


def test_each_shard_that_accounts_live_on_is_told(acme: Account) -> None:
    Account.objects.filter(id=acme.id).update(shard="7")
    assert queue.shard_names() == ["0", "7"]


def test_no_setting_is_shown_with_its_secret(settings: Settings) -> None:
    for name in (*SECRET, *ADDRESSES):
        setattr(settings, name, "redis://someone:a-secret@store.test:6379/0")
    shown = {setting.name: setting.value for setting in configuration()}
    assert not [name for name, value in shown.items() if "a-secret" in value or "someone" in value]
    assert shown["REDIS_URL"] == "redis://store.test:6379/0"
    assert shown["SECRET_KEY"] == "set"
    assert not set(SHOWN) & {*SECRET, *ADDRESSES}
    assert address_of("sqlite:////var/lib/stepwell.sqlite3") == "sqlite:////var/lib/stepwell.sqlite3"
