"""Where a person is signed in: seen, ended at once, and ended by a new password."""

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client

from apps.identity.models import User
from apps.signin.sweeping import sweep
from tests.integration.identity.people import NEW_PASSWORD, PASSWORD, Visitor, sign_in, user_id_of

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


def _phone() -> Client:
    return Visitor(REMOTE_ADDR="192.0.2.9", HTTP_USER_AGENT=FIREFOX)


def test_sessions_are_listed_with_device_and_address(browser: Client, bob: User) -> None:
    sign_in(browser, bob.email)
    sign_in(_phone(), bob.email)
    page = browser.get("/profile/sessions").content.decode()
    assert "Firefox on Linux" in page
    assert "192.0.2.9" in page
    assert page.count("This one") == 1


def test_an_ended_session_can_do_nothing_from_then_on(browser: Client, bob: User) -> None:
    phone = _phone()
    sign_in(browser, bob.email)
    sign_in(phone, bob.email)
    assert phone.get("/profile").status_code == 200
    session = UserSession.objects.get(ip="192.0.2.9")
    assert browser.post(f"/profile/sessions/{session.pk}/end")["Location"] == "/profile/sessions"
    assert phone.get("/profile")["Location"] == "/sign-in?next=/profile"
    assert phone.post("/profile", {"name": "Mallory"})["Location"] == "/sign-in?next=/profile"
    bob.refresh_from_db()
    assert bob.name == "Bob"
    assert browser.get("/profile").status_code == 200


def test_all_others_end_together(browser: Client, bob: User) -> None:
    others = [_phone(), _phone()]
    for client in (browser, *others):
        sign_in(client, bob.email)
    browser.post("/profile/sessions")
    assert [client.get("/profile").status_code for client in (browser, *others)] == [200, 302, 302]
    assert UserSession.objects.filter(user=bob).count() == 1


def test_nobody_ends_the_session_of_another_or_the_present_one(
    browser: Client, bob: User, stranger: User
) -> None:
    phone = _phone()
    sign_in(phone, stranger.email)
    sign_in(browser, bob.email)
    hers, own = UserSession.objects.get(user=stranger), UserSession.objects.get(user=bob)
    for session in (hers, own):
        assert browser.post(f"/profile/sessions/{session.pk}/end").status_code == 404
    assert browser.get(f"/profile/sessions/{hers.pk}/end").status_code == 405
    assert (user_id_of(phone), user_id_of(browser)) == (str(stranger.pk), str(bob.pk))


def test_a_new_password_keeps_this_session_and_ends_the_others(browser: Client, bob: User) -> None:
    phone = _phone()
    sign_in(browser, bob.email)
    sign_in(phone, bob.email)
    fields = {"oldpassword": "wrong", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert "That is not your current password." in browser.post("/profile/password", fields).content.decode()
    browser.post("/profile/password", fields | {"oldpassword": PASSWORD})
    assert browser.get("/profile").status_code == 200
    assert phone.get("/profile")["Location"] == "/sign-in?next=/profile"


def test_sessions_whose_time_is_over_are_deleted(browser: Client, bob: User) -> None:
    sign_in(browser, bob.email)
    other = _phone()
    sign_in(other, bob.email)
    key = other.session.session_key
    Session.objects.filter(session_key=key).update(expire_date="2026-01-01T00:00:00Z")
    sweep()
    assert not Session.objects.filter(session_key=key).exists()
    assert browser.get("/profile").status_code == 200


def test_last_use_is_noted_once_a_minute(browser: Client, bob: User) -> None:
    sign_in(browser, bob.email)
    browser.get("/profile")
    seen = UserSession.objects.get(user=bob).last_seen_at
    browser.get("/profile")
    assert UserSession.objects.get(user=bob).last_seen_at == seen


def test_name_and_theme_are_kept_on_the_server(browser: Client, bob: User) -> None:
    sign_in(browser, bob.email)
    assert browser.post("/profile", {"name": "Robert"})["Location"] == "/profile"
    assert browser.post("/profile", {"name": ""}).status_code == 422
    browser.post("/profile/theme", {"theme": "dark"})
    browser.post("/profile/theme", {"theme": "<script>"})
    bob.refresh_from_db()
    assert (bob.name, bob.theme) == ("Robert", "dark")
    assert '<html lang="en" data-theme="dark">' in browser.get("/profile").content.decode()
