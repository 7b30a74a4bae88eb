"""Single sign-on by SAML 2.0 against a provider that signs by hand."""

from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from apps.identity.models import User
from apps.signin.models import SsoConnection
from apps.signin.sso.saml import BadMetadata, read_metadata
from apps.tenancy.models import Account, Membership, Role
from tests.integration.identity.people import Visitor, user_id_of
from tests.integration.identity.saml_provider import ENTITY_ID, SSO_URL, SamlProvider, request_id
from tests.integration.identity.sso import connect, leave

REFUSED = "The answer of your identity provider could not be accepted."


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    return SamlProvider().keys


@pytest.fixture
def provider(keys: tuple[str, str]) -> SamlProvider:
    return SamlProvider(keys=keys)


@pytest.fixture
def connection(acme: Account, provider: SamlProvider) -> SsoConnection:
    made = connect(acme, read_metadata(provider.metadata()))
    provider.base = f"http://testserver/sso/saml/{made.provider_id}"
    return made


def _post(client: Client, provider: SamlProvider, answer: str) -> Any:
    """The browser brings the answer, from the provider's site."""
    path = provider.base.removeprefix("http://testserver") + "/acs"
    return client.post(path, {"SAMLResponse": answer}, follow=False)


def _finish(client: Client, provider: SamlProvider, answer: str) -> Any:
    response = _post(client, provider, answer)
    assert response.status_code == 302
    return client.get(response["Location"])


@pytest.mark.usefixtures("connection")
def test_a_signed_answer_signs_in_and_joins(browser: Client, provider: SamlProvider, acme: Account) -> None:
    there = leave(browser, provider.email)
    assert there.startswith(f"{SSO_URL}?SAMLRequest=")
    response = _finish(browser, provider, provider.answer(request_id(there)))
    assert response["Location"] == "/o/acme/env/production/runs"
    dora = User.objects.get(email=provider.email)
    assert user_id_of(browser) == str(dora.pk)
    assert Membership.objects.get(user=dora, account=acme).role == Role.OPERATOR


def _assert_refused(response: Any, browser: Client, provider: SamlProvider) -> None:
    assert response.status_code in (401, 403)
    assert user_id_of(browser) is None
    assert not User.objects.filter(email=provider.email).exists()


@pytest.mark.usefixtures("connection")
def test_a_signature_of_another_key_is_refused(browser: Client, provider: SamlProvider) -> None:
    forged = provider.answer(request_id(leave(browser, provider.email)), keys=SamlProvider().keys)
    response = _finish(browser, provider, forged)
    _assert_refused(response, browser, provider)
    assert REFUSED in response.content.decode()


@pytest.mark.usefixtures("connection")
def test_no_signature_is_refused(browser: Client, provider: SamlProvider) -> None:
    unsigned = provider.answer(request_id(leave(browser, provider.email)), is_signed=False)
    _assert_refused(_finish(browser, provider, unsigned), browser, provider)


@pytest.mark.usefixtures("connection")
def test_an_answer_for_another_audience_is_refused(browser: Client, provider: SamlProvider) -> None:
    answer = provider.answer(request_id(leave(browser, provider.email)), audience="https://other.test")
    _assert_refused(_finish(browser, provider, answer), browser, provider)


@pytest.mark.usefixtures("connection")
def test_an_old_answer_is_refused(browser: Client, provider: SamlProvider) -> None:
    answer = provider.answer(request_id(leave(browser, provider.email)), age=timedelta(hours=1))
    _assert_refused(_finish(browser, provider, answer), browser, provider)


@pytest.mark.usefixtures("connection")
def test_an_answer_that_nobody_asked_for_is_refused(browser: Client, provider: SamlProvider) -> None:
    _assert_refused(_finish(browser, provider, provider.answer("")), browser, provider)
    _assert_refused(_finish(browser, provider, provider.answer("_made_up")), browser, provider)


@pytest.mark.usefixtures("connection")
def test_an_answer_works_once_and_in_the_browser_that_asked(browser: Client, provider: SamlProvider) -> None:
    answer = provider.answer(request_id(leave(browser, provider.email)))
    thief = Visitor()
    assert _finish(thief, provider, answer).status_code == 403
    assert user_id_of(thief) is None
    assert _finish(browser, provider, answer).status_code == 302
    browser.post("/sign-out")
    assert _finish(browser, provider, answer).status_code == 403
    assert user_id_of(browser) is None


@pytest.mark.usefixtures("connection")
def test_an_address_of_another_domain_is_refused(
    browser: Client, provider: SamlProvider, stranger: User
) -> None:
    there = leave(browser, provider.email)
    provider.email = stranger.email
    response = _finish(browser, provider, provider.answer(request_id(there)))
    assert response.status_code == 403
    assert user_id_of(browser) is None


@pytest.mark.usefixtures("connection")
def test_nonsense_is_refused(browser: Client, provider: SamlProvider) -> None:
    for answer in ("", "%%%", "PHhtbC8+"):
        response = _finish(browser, provider, answer)
        assert response.status_code in (400, 401)
    assert user_id_of(browser) is None


def test_our_metadata_says_who_and_where_we_are(
    browser: Client, connection: SsoConnection, provider: SamlProvider
) -> None:
    SsoConnection.objects.update(is_enabled=False)
    answer = browser.get(f"/sso/saml/{connection.provider_id}/metadata")
    assert answer["Content-Type"] == "application/xml"
    root = ElementTree.fromstring(answer.content)
    assert root.attrib["entityID"] == f"{provider.base}/metadata"
    services = [element.attrib["Location"] for element in root.iter() if "Location" in element.attrib]
    assert services == [f"{provider.base}/acs"]
    assert browser.get(f"/sso/saml/{connection.provider_id}/logout").status_code == 404
    assert browser.get("/sso/saml/sso-unknown/metadata").status_code == 404


def test_metadata_of_the_provider_is_read(provider: SamlProvider) -> None:
    config = read_metadata(provider.metadata())
    assert (config.entity_id, config.sso_url) == (ENTITY_ID, SSO_URL)
    bare = "".join(provider.keys[1].splitlines()[1:-1])
    assert config.certificate.replace("\n", "") == bare


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><EntityDescriptor>&b;</EntityDescriptor>'


@pytest.mark.parametrize("xml", ["", "nonsense", "<x/>", BOMB])
def test_what_is_no_metadata_is_refused(xml: str) -> None:
    with pytest.raises(BadMetadata):
        read_metadata(xml)
