"""Signing in with a password: who gets in, who does not, and what the answer gives away."""

from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from pytest_django.fixtures import Settings

from apps.identity.models import User
from apps.tenancy.models import Account
from tests.integration.identity.people import PASSWORD, Visitor, sign_in, user_id_of

MISMATCH = "That e-mail address and password do not fit together."


@pytest.mark.usefixtures("acme")
def test_pages_are_for_people_who_have_signed_in(browser: Client, alice: User) -> None:
    assert browser.get("/runs?status=failed")["Location"] == "/sign-in?next=%2Fruns%3Fstatus%3Dfailed"
    assert browser.get("/o/acme/env/production/runs")["Location"].startswith("/sign-in?next=")
    answer = sign_in(browser, " Alice@ACME.test ", next="/o/acme/env/production/runs")
    assert (answer.status_code, answer["Location"]) == (302, "/o/acme/env/production/runs")
    assert user_id_of(browser) == str(alice.pk)
    assert browser.get("/o/acme/env/production/runs").status_code == 200


@pytest.mark.usefixtures("acme")
def test_a_part_of_a_page_leads_the_whole_page_to_sign_in(browser: Client) -> None:
    answer = browser.get("/admin/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/sign-in?next=%2Fadmin%2F")


@pytest.mark.usefixtures("acme")
def test_wrong_password_and_unknown_address_get_the_same_answer(browser: Client) -> None:
    pages = []
    for email in ("alice@acme.test", "nobody@acme.test"):
        answer = sign_in(browser, email, "not the password")
        assert answer.status_code == 200
        assert user_id_of(browser) is None
        pages.append(_plain(answer.content.decode(), email))
    assert pages[0] == pages[1]
    assert MISMATCH in pages[0]


def _plain(page: str, email: str) -> str:
    """Without what differs by nature: the address, and the token against forgery."""
    lines = page.replace(email, "someone").splitlines()
    return "\n".join(line for line in lines if "csrfmiddlewaretoken" not in line)


@pytest.mark.usefixtures("acme")
def test_an_unknown_address_costs_as_much_work_as_a_wrong_password(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing is what takes time: once for each attempt. The audit entry waits for the answer to be sent."""
    computed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counting(self: MD5PasswordHasher, password: str, salt: str) -> Any:
        computed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    for email in ("alice@acme.test", "nobody@acme.test"):
        computed.clear()
        sign_in(browser, email, "not the password")
        assert computed == ["not the password"]


def test_production_hashes_with_argon2() -> None:
    from config.settings import identity

    assert identity.PASSWORD_HASHERS[0] == "django.contrib.auth.hashers.Argon2PasswordHasher"


@pytest.mark.usefixtures("acme")
def test_five_wrong_passwords_close_an_address_for_everyone_for_five_minutes(browser: Client) -> None:
    for _ in range(5):
        assert MISMATCH in sign_in(browser, "alice@acme.test", "wrong").content.decode()
    for client, email in ((browser, "alice@acme.test"), (Visitor(), "ALICE@acme.test")):
        page = sign_in(client, email).content.decode()
        assert "Too many attempts to sign in." in page
        assert user_id_of(client) is None


@pytest.mark.usefixtures("acme")
def test_an_unknown_address_is_closed_alike(browser: Client) -> None:
    for _ in range(5):
        sign_in(browser, "nobody@acme.test", "wrong")
    assert "Too many attempts to sign in." in sign_in(browser, "nobody@acme.test", "x").content.decode()


@pytest.mark.usefixtures("acme")
def test_ten_failures_a_minute_close_a_caller(browser: Client, bob: User) -> None:
    for attempt in range(10):
        sign_in(browser, f"guess{attempt}@acme.test", "wrong")
    assert "Too many attempts to sign in." in sign_in(browser, bob.email).content.decode()
    other = Visitor(REMOTE_ADDR="192.0.2.7")
    assert sign_in(other, bob.email)["Location"] == "/"


@pytest.mark.usefixtures("acme")
def test_limits_are_shared_through_redis(browser: Client, server: Settings, redis_url: str) -> None:
    server.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": redis_url,
            "KEY_PREFIX": "stepwell-cache",
        }
    }
    import redis

    for _ in range(5):
        sign_in(browser, "alice@acme.test", "wrong")
    with redis.Redis.from_url(redis_url) as client:
        names = [key.decode() for key in client.scan_iter("stepwell-cache:*login_failed*")]
        assert len(names) == 2
        assert all(client.ttl(name) > 0 for name in names)
        assert "alice" not in "".join(names)
    assert "Too many attempts" in sign_in(browser, "alice@acme.test").content.decode()


@pytest.mark.usefixtures("acme")
def test_signing_in_changes_the_session_key(browser: Client, alice: User) -> None:
    """Who has planted a session knows nothing of what it becomes."""
    browser.get("/invite/x")
    planted = browser.session
    planted["planted"] = "yes"
    planted.save()
    before = planted.session_key or ""
    browser.cookies["sessionid"] = before
    sign_in(browser, alice.email)
    after = browser.cookies["sessionid"].value
    assert user_id_of(browser) == str(alice.pk)
    assert after != before
    other = Visitor()
    other.cookies["sessionid"] = before
    assert other.get("/orgs")["Location"] == "/sign-in?next=/orgs"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test",
        "\\\\evil.test",
        "http:///evil.test",
        "javascript:alert(1)",
        " //evil.test",
        "/\t/evil.test",
        "runs",
        "http://testserver/runs",
    ],
)
@pytest.mark.usefixtures("acme")
def test_only_a_path_of_this_server_is_gone_to(browser: Client, alice: User, target: str) -> None:
    assert sign_in(browser, alice.email, next=target)["Location"] == "/"
    assert browser.get("/sign-in", {"next": target})["Location"] == "/"
    switched = browser.get("/switch", {"org": "acme", "next": target})
    assert switched["Location"] == "/o/acme/env/production/runs"
    assert browser.post("/sign-out", {"next": target})["Location"] == "/sign-in"


@pytest.mark.usefixtures("acme")
def test_forms_of_other_sites_are_refused(alice: User) -> None:
    client = Visitor(enforce_csrf_checks=True)
    for path in ("/sign-in", "/sign-up", "/reset", "/sign-in/sso", "/sign-in/passkey", "/orgs", "/profile"):
        assert client.post(path, {"login": alice.email, "password": PASSWORD}).status_code == 403
    assert user_id_of(client) is None
    client.force_login(alice)
    for path in ("/sign-out", "/profile/theme", "/profile/password", "/profile/sessions"):
        assert client.post(path, {}).status_code == 403
    assert user_id_of(client) == str(alice.pk)


def test_signing_out_takes_a_form(browser: Client, acme: Account, alice: User) -> None:
    sign_in(browser, alice.email)
    assert "Sign out?" in browser.get("/sign-out").content.decode()
    assert user_id_of(browser) == str(alice.pk)
    assert browser.post("/sign-out")["Location"] == "/sign-in"
    assert user_id_of(browser) is None


def test_who_is_turned_off_does_not_get_in(browser: Client, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert sign_in(browser, bob.email)["Location"] == "/sign-in/inactive"
    assert user_id_of(browser) is None


def test_the_operator_console_has_no_sign_in_of_its_own(browser: Client, bob: User) -> None:
    answer = browser.post("/admin/login/", {"username": bob.email, "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in")
    assert browser.get("/admin/")["Location"] == "/sign-in?next=%2Fadmin%2F"
    sign_in(browser, bob.email)
    assert browser.get("/admin/login/").status_code == 404


def test_a_development_server_knows_no_sign_in(browser: Client, alice: User, settings: Settings) -> None:
    settings.STEPWELL_MODE = "dev"
    assert browser.get("/runs").status_code == 200
    for path in ("/sign-in", "/sign-up", "/setup", "/profile", "/orgs", "/reset"):
        assert browser.get(path)["Location"] == "/"
    assert sign_in(browser, alice.email).status_code == 404
    assert user_id_of(browser) is None
