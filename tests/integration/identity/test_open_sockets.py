"""The live connection of a page ends with the session that opened it, and is no use of that session."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import DatabaseError
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.identity.models import User
from apps.realtime.access import Listener
from apps.realtime.topics import parse_topic, runs_topic
from apps.tenancy.models import Account
from tests.integration.dashboard.tab import Tab
from tests.integration.identity.people import NEW_PASSWORD, PASSWORD, Visitor, sign_in
from tests.integration.identity.test_session_limits import later

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

OVER = {"type": "websocket.close", "code": 4401}
HOST = [(b"host", b"stepwell.test")]


@pytest.fixture
def page(settings: Settings, monkeypatch: pytest.MonkeyPatch, bob: User) -> Client:
    """The browser of a member of Acme; its connections are looked at all the time."""
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    channel_layers.backends = {}
    monkeypatch.setattr("apps.realtime.consumers.RECHECK_SECONDS", 0.02)
    browser = Visitor()
    sign_in(browser, bob.email)
    return browser


def scope_of(page: Client, user: User) -> dict[str, object]:
    return {"user": user, "session": SessionStore(page.session.session_key)}


@pytest.fixture
async def tab(page: Client, bob: User) -> AsyncIterator[Tab]:
    connection = Tab(HOST, await sync_to_async(scope_of)(page, bob))
    assert (await connection.connect())["type"] == "websocket.accept"
    assert await connection.hears_nothing(0.2)
    yield connection
    await connection.disconnect()


def _idle(page: Client, acme: Account, bob: User) -> None:
    Account.objects.filter(id=acme.id).update(session_idle_minutes=15)
    later(page, 16)


def _too_long(page: Client, acme: Account, bob: User) -> None:
    Account.objects.filter(id=acme.id).update(session_hours=2)
    later(page, 121)
    UserSession.objects.filter(user=bob).update(last_seen_at=timezone.now())


def _expired(page: Client, acme: Account, bob: User) -> None:
    Session.objects.filter(session_key=page.session.session_key).update(expire_date=timezone.now())


def _revoked(page: Client, acme: Account, bob: User) -> None:
    phone = Visitor(REMOTE_ADDR="192.0.2.9")
    sign_in(phone, bob.email)
    session = UserSession.objects.get(session_key=page.session.session_key)
    assert phone.post(f"/profile/sessions/{session.pk}/end").status_code == 302


def _signed_out(page: Client, acme: Account, bob: User) -> None:
    page.post("/sign-out")


def _new_password(page: Client, acme: Account, bob: User) -> None:
    phone = Visitor(REMOTE_ADDR="192.0.2.9")
    sign_in(phone, bob.email)
    fields = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert phone.post("/profile/password", fields).status_code == 302


def _password_set_by_an_operator(page: Client, acme: Account, bob: User) -> None:
    bob.set_password(NEW_PASSWORD)
    bob.save()


def _locked_out(page: Client, acme: Account, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)


@pytest.mark.parametrize(
    "end",
    [
        *(_idle, _too_long, _expired, _revoked, _signed_out),
        *(_new_password, _password_set_by_an_operator, _locked_out),
    ],
)
async def test_it_ends_with_the_session(
    page: Client, tab: Tab, acme: Account, bob: User, end: Callable[[Client, Account, User], None]
) -> None:
    await sync_to_async(end)(page, acme, bob)
    assert await tab.receive_raw() == OVER


async def test_within_the_limits_it_stays(page: Client, tab: Tab, acme: Account, bob: User) -> None:
    await Account.objects.filter(id=acme.id).aupdate(session_idle_minutes=15, session_hours=2)
    await sync_to_async(later)(page, 14)
    assert await tab.hears_nothing(0.2)


async def test_its_traffic_is_no_use_of_the_session(page: Client, tab: Tab, acme: Account, bob: User) -> None:
    await Account.objects.filter(id=acme.id).aupdate(session_idle_minutes=15)
    await sync_to_async(later)(page, 14)
    before = await UserSession.objects.aget(user=bob)
    for number in range(3):
        await tab.send({"subscribe": [f"run.{number}"]})
        assert (await tab.receive())["refused"] == [f"run.{number}"]
    assert (await UserSession.objects.aget(user=bob)).last_seen_at == before.last_seen_at
    past = timedelta(minutes=2)
    await UserSession.objects.filter(user=bob).aupdate(last_seen_at=F("last_seen_at") - past)
    assert await tab.receive_raw() == OVER


async def test_an_idle_session_hears_nothing_on_a_new_connection_either(
    page: Client, acme: Account, bob: User
) -> None:
    listener = Listener(await sync_to_async(scope_of)(page, bob))
    assert await listener.lasts()
    await sync_to_async(_idle)(page, acme, bob)
    environment = await acme.environments.afirst()
    assert environment is not None
    topic = parse_topic(runs_topic(environment.id))
    assert topic is not None
    assert not await listener.lasts()
    assert not await listener.may_listen(topic)
    await sync_to_async(cache.clear)()


async def test_without_the_database_it_goes_on(
    tab: Tab, page: Client, acme: Account, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of the server's signs nobody out."""

    def fail(*_: object) -> bool:
        raise DatabaseError("away")

    with monkeypatch.context() as patch:
        patch.setattr("apps.realtime.access.is_live", fail)
        assert await tab.hears_nothing(0.2)
    await sync_to_async(_signed_out)(page, acme, bob)
    assert await tab.receive_raw() == OVER


async def test_who_is_not_signed_in_has_no_connection_for_long(page: Client) -> None:
    connection = Tab(HOST)
    assert (await connection.connect())["type"] == "websocket.accept"
    assert await connection.receive_raw() == OVER
    await connection.disconnect()
