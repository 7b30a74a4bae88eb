"""The page where an organisation sets up its single sign-on, and how its domains are proven."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from django.http import HttpRequest
from django.test import Client
from pytest_django.fixtures import Settings

from apps.audit.models import AuditEntry
from apps.audit.services import SYSTEM, Actor
from apps.identity.models import User
from apps.signin.models import SsoConnection, SsoDomain
from apps.signin.services import connections as services
from apps.signin.sso import dns, egress
from apps.signin.sso.configuration import OidcConfig, opened
from apps.signin.views import connections as views
from apps.tenancy.models import Account
from tests.integration.identity.oidc_provider import Provider, serve
from tests.integration.identity.people import Visitor, sign_in
from tests.integration.identity.saml_provider import SamlProvider

FORM = {
    "name": "Okta",
    "issuer": "https://acme.okta.test",
    "client_id": "client",
    "client_secret": "the secret of a client",
}


@pytest.fixture
def page(browser: Client, acme: Account, alice: User) -> Client:
    """The browser of Acme's owner."""
    sign_in(browser, alice.email)
    return browser


@pytest.fixture
def connection(acme: Account) -> SsoConnection:
    return services.connection_create(
        account=acme,
        name="Okta",
        config=OidcConfig("https://acme.okta.test", "client", "secret"),
        actor=SYSTEM,
    )


def test_a_connection_is_stored_encrypted_and_its_addresses_are_shown(page: Client, acme: Account) -> None:
    assert page.get("/orgs/acme/sso").status_code == 200
    assert page.post("/orgs/acme/sso/new/oidc", FORM)["Location"] == "/orgs/acme/sso"
    connection = SsoConnection.objects.get(account=acme)
    assert opened(connection) == OidcConfig(FORM["issuer"], FORM["client_id"], FORM["client_secret"])
    assert FORM["client_secret"] not in connection.config_encrypted
    assert connection.is_enabled is False
    shown = page.get("/orgs/acme/sso").content.decode()
    assert f"http://testserver/sso/oidc/{connection.provider_id}/callback" in shown
    assert FORM["client_secret"] not in shown
    entry = AuditEntry.objects.get(account_id=acme.id, action="sso.create")
    assert FORM["client_secret"] not in str(entry.after)


def test_saml_takes_the_providers_metadata(page: Client, acme: Account) -> None:
    wrong = page.post("/orgs/acme/sso/new/saml", {"name": "Okta", "metadata": "<x/>"})
    assert wrong.status_code == 422
    assert "That is not the metadata of a SAML 2.0 identity provider" in wrong.content.decode()
    neither = page.post("/orgs/acme/sso/new/saml", {"name": "Okta"})
    assert "Give the metadata, or the URL where it is." in neither.content.decode()
    page.post("/orgs/acme/sso/new/saml", {"name": "Okta", "metadata": SamlProvider().metadata()})
    connection = SsoConnection.objects.get(account=acme)
    shown = page.get("/orgs/acme/sso").content.decode()
    for part in ("acs", "metadata"):
        assert f"http://testserver/sso/saml/{connection.provider_id}/{part}" in shown


@pytest.mark.parametrize("path", ["", "/new/oidc", "/{id}/policy", "/{id}/delete", "/{id}/domains"])
def test_only_who_manages_single_sign_on_gets_there(
    acme: Account, connection: SsoConnection, bob: User, stranger: User, path: str
) -> None:
    url = f"/orgs/acme/sso{path.format(id=connection.id)}"
    send = "post" if path else "get"
    assert getattr(Visitor(), send)(url, FORM)["Location"].startswith("/sign-in")
    member, other = Visitor(), Visitor()
    sign_in(member, bob.email)
    refused = getattr(member, send)(url, FORM)
    assert refused.status_code == 403
    assert "This needs the permission sso.manage" in refused.content.decode()
    sign_in(other, stranger.email)
    assert getattr(other, send)(url, FORM).status_code == 404
    connection.refresh_from_db()
    assert (SsoConnection.objects.count(), connection.is_enabled, SsoDomain.objects.count()) == (1, False, 0)


def test_another_organisations_connection_is_not_found(page: Client, stranger: User) -> None:
    from apps.credentials.services.provisioning import organisation_provision

    elsewhere = organisation_provision(name="Elsewhere", owner=stranger, actor=SYSTEM)
    theirs = services.connection_create(
        account=elsewhere, name="Theirs", config=OidcConfig("https://x.test", "c", "s"), actor=SYSTEM
    )
    domain = services.domain_add(connection=theirs, domain="elsewhere.test", actor=SYSTEM)
    for path in (f"{theirs.id}/delete", f"{theirs.id}/policy", f"domains/{domain.id}/remove"):
        assert page.post(f"/orgs/acme/sso/{path}", {"default_role": "viewer"}).status_code == 404
    assert SsoDomain.objects.filter(id=domain.id).exists()


def _policy(**changed: str) -> dict[str, str]:
    return {"is_enabled": "on", "is_joining": "on", "default_role": "viewer"} | changed


def test_nothing_is_enabled_before_a_domain_is_proven(
    page: Client, connection: SsoConnection, monkeypatch: pytest.MonkeyPatch, bob: User
) -> None:
    policy = f"/orgs/acme/sso/{connection.id}/policy"
    answer = page.post(policy, _policy(), follow=True)
    assert "Verify a domain first" in answer.content.decode()
    page.post(f"/orgs/acme/sso/{connection.id}/domains", {"domain": "ACME.test."})
    row = SsoDomain.objects.get()
    assert row.domain == "acme.test"
    assert f"stepwell-verification={row.token}" in page.get("/orgs/acme/sso").content.decode()

    records: list[str] = []
    monkeypatch.setattr(dns, "txt_records", lambda domain: records)
    verify = f"/orgs/acme/sso/domains/{row.id}/verify"
    assert "has no such TXT record yet" in page.post(verify, follow=True).content.decode()
    records += ["v=spf1 -all", f"stepwell-verification={row.token}"]
    assert "The domain is verified." in page.post(verify, follow=True).content.decode()
    page.post(policy, _policy(is_enforced="on"))
    connection.refresh_from_db()
    assert (connection.is_enabled, connection.is_enforced) == (True, True)

    page.post(f"/orgs/acme/sso/domains/{row.id}/remove")
    connection.refresh_from_db()
    assert (connection.is_enabled, connection.is_enforced) == (False, False)
    assert sign_in(Visitor(), bob.email)["Location"] == "/"


def test_only_the_operator_verifies_without_dns(page: Client, connection: SsoConnection, alice: User) -> None:
    row = services.domain_add(connection=connection, domain="acme.test", actor=SYSTEM)
    approve = f"/orgs/acme/sso/domains/{row.id}/approve"
    assert page.post(approve).status_code == 404
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    assert page.post(approve).status_code == 302
    row.refresh_from_db()
    assert row.verified_at is not None


def test_a_domain_belongs_to_one_connection(acme: Account, connection: SsoConnection) -> None:
    second = services.connection_create(
        account=acme, name="Other", config=OidcConfig("https://x.test", "c", "s"), actor=SYSTEM
    )
    first = services.domain_add(connection=connection, domain="acme.test", actor=SYSTEM)
    racing = services.domain_add(connection=second, domain="acme.test", actor=SYSTEM)
    services.domain_approve(domain=first, actor=SYSTEM)
    with pytest.raises(services.DomainTaken):
        services.domain_approve(domain=racing, actor=SYSTEM)
    with pytest.raises(services.DomainTaken):
        services.domain_add(connection=second, domain="acme.test", actor=SYSTEM)


@pytest.mark.parametrize("name", ["", "localhost", "a b.test", "-a.test", "127.0.0.1", "x" * 64 + ".test"])
def test_what_is_no_domain_is_refused(connection: SsoConnection, name: str) -> None:
    with pytest.raises(services.NotADomain):
        services.domain_add(connection=connection, domain=name, actor=SYSTEM)


def test_nobody_becomes_an_owner_by_joining(page: Client, connection: SsoConnection) -> None:
    with pytest.raises(services.OwnersAreMade):
        services.connection_set_policy(
            connection=connection,
            is_enabled=False,
            is_enforced=False,
            is_joining=True,
            default_role="owner",
            actor=SYSTEM,
        )
    page.post(f"/orgs/acme/sso/{connection.id}/policy", _policy(default_role="owner"))
    connection.refresh_from_db()
    assert connection.default_role == "viewer"


# --- DNS -------------------------------------------------------------------------------------------------


class NameServer:
    """Answers every question over UDP by `reply(question)`, and over TCP with the records."""

    def __init__(self, records: list[bytes], reply: Callable[[bytes], bytes] | None = None) -> None:
        self.records = records
        self._reply = reply or self.answer
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._tcp.getsockname()
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(self.address)
        for work in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=work, daemon=True).start()

    def answer(self, question: bytes, flags: int = 0x8180) -> bytes:
        header = question[:2] + struct.pack(">HHHHH", flags, 1, len(self.records), 0, 0)
        rows = [b"\xc0\x0c" + struct.pack(">HHIH", 16, 1, 60, len(row)) + row for row in self.records]
        return header + question[12:] + b"".join(rows)

    def _serve_udp(self) -> None:
        while True:
            try:
                question, sender = self._udp.recvfrom(4096)
                self._udp.sendto(self._reply(question), sender)
            except OSError:
                return

    def _serve_tcp(self) -> None:
        while True:
            try:
                channel, _ = self._tcp.accept()
            except OSError:
                return
            with channel:
                question = channel.recv(4096)[2:]
                answer = self.answer(question)
                channel.sendall(struct.pack(">H", len(answer)) + answer)

    def close(self) -> None:
        self._udp.close()
        self._tcp.close()


def _record(*parts: bytes) -> bytes:
    return b"".join(bytes([len(part)]) + part for part in parts)


@pytest.fixture
def servers() -> Iterator[list[NameServer]]:
    made: list[NameServer] = []
    yield made
    for server in made:
        server.close()


def test_txt_records_are_read_with_their_parts_joined(servers: list[NameServer]) -> None:
    servers.append(NameServer([_record(b"v=spf1 -all"), _record(b"x" * 255, b"end")]))
    found = dns.txt_records("acme.test", [servers[0].address])
    assert found == ["v=spf1 -all", "x" * 255 + "end"]


def test_a_cut_answer_is_asked_for_again_by_tcp(servers: list[NameServer]) -> None:
    server = NameServer([_record(b"whole")], lambda question: question[:2] + b"\x83\x80" + question[4:])
    servers.append(server)
    assert dns.txt_records("acme.test", [server.address]) == ["whole"]


def test_an_answer_to_another_question_is_none(servers: list[NameServer]) -> None:
    records = [_record(b"forged")]
    servers.append(NameServer(records, lambda question: b"\0\0" + servers[0].answer(question)[2:]))
    with pytest.raises(dns.LookupFailed):
        dns.txt_records("acme.test", [servers[0].address])


def test_a_name_that_does_not_exist_has_no_records(servers: list[NameServer]) -> None:
    servers.append(NameServer([], lambda question: servers[0].answer(question, 0x8183)))
    assert dns.txt_records("acme.test", [servers[0].address]) == []


def test_the_next_name_server_is_asked(servers: list[NameServer]) -> None:
    broken = NameServer([], lambda question: question[:2] + b"\x81\x82" + question[4:])
    servers += [broken, NameServer([_record(b"here")])]
    assert dns.txt_records("acme.test", [server.address for server in servers]) == ["here"]
    with pytest.raises(dns.LookupFailed):
        dns.txt_records("acme.test", [])


# --- requests to identity providers ----------------------------------------------------------------------


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    server = serve(made)
    yield made
    server.shutdown()
    server.server_close()


def test_private_addresses_are_reached_only_where_they_are_allowed(
    provider: Provider, settings: Settings
) -> None:
    discovery = "/.well-known/openid-configuration"
    named = provider.url.replace("127.0.0.1", "localhost")
    with egress.session() as session:
        assert session.get(named + discovery).json()["issuer"] == provider.url
    settings.STEPWELL_ALLOW_PRIVATE_NETWORKS = False
    for url in (provider.url, named, "http://169.254.169.254/latest/meta-data"):
        with egress.session() as session, pytest.raises(requests.ConnectionError):
            session.get(url + discovery)


def test_a_name_is_judged_by_what_it_resolves_to(
    provider: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STEPWELL_ALLOW_PRIVATE_NETWORKS = False
    port = int(provider.url.rpartition(":")[2])

    def rebound(host: str, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    with egress.session() as session, pytest.raises(requests.ConnectionError):
        session.get(f"http://idp.acme.test:{port}/jwks")


def test_an_answer_has_a_size(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    provider.userinfo = {"sub": "x" * 2000}
    with egress.session() as session:
        assert session.get(f"{provider.url}/userinfo").json() == provider.userinfo
        monkeypatch.setattr(egress, "MAX_BYTES", 1000)
        with pytest.raises(egress.AnswerTooLarge):
            session.get(f"{provider.url}/userinfo")


def test_addresses_of_forms_lead_to_the_page_that_has_them(
    browser: Client, alice: User, acme: Account
) -> None:
    """Once a form was refused its address is the browser's."""
    sign_in(browser, alice.email)
    some = "00000000-0000-4000-8000-000000000001"
    forms = ["new/oidc", "new/saml", f"{some}/policy", f"{some}/groups", f"{some}/test", f"{some}/domains"]
    for path in [*forms, f"{some}/delete", f"domains/{some}/verify"]:
        assert browser.get(f"/orgs/acme/sso/{path}")["Location"] == "/orgs/acme/sso", path
        assert browser.put(f"/orgs/acme/sso/{path}").status_code == 405


@pytest.mark.parametrize(
    ("form", "gone"),
    [
        ("{connection}/policy", "connection"),
        ("{connection}/groups", "connection"),
        ("{connection}/domains", "connection"),
        ("{connection}/delete", "connection"),
        ("domains/{domain}/verify", "connection"),
        ("domains/{domain}/verify", "domain"),
        ("domains/{domain}/remove", "connection"),
        ("domains/{domain}/remove", "domain"),
    ],
)
def test_who_changes_what_somebody_deletes_at_that_moment_is_told(
    page: Client, connection: SsoConnection, monkeypatch: pytest.MonkeyPatch, form: str, gone: str
) -> None:
    domain = services.domain_add(connection=connection, domain="acme.test", actor=SYSTEM)
    monkeypatch.setattr(dns, "txt_records", lambda name: [f"stepwell-verification={domain.token}"])

    def somebody_was_faster(request: HttpRequest) -> Actor:
        (SsoConnection if gone == "connection" else SsoDomain).objects.all().delete()
        return SYSTEM

    monkeypatch.setattr(views, "actor_of", somebody_was_faster)
    path = form.format(connection=connection.id, domain=domain.id)
    answer = page.post(
        f"/orgs/acme/sso/{path}", _policy(domain="acme.test", group_attribute="groups"), follow=True
    )
    assert answer.status_code == 200
    told = {"connection": "has deleted this connection", "domain": "has removed this domain"}[gone]
    assert f"Somebody {told} meanwhile." in answer.content.decode()
    assert not SsoDomain.objects.exists()
