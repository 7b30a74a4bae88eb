"""Personal tokens: a person makes, sees and revokes their own, and each does no more than its person may."""

import re
import uuid
from datetime import timedelta
from typing import Any, Final

import pytest
from django.test import Client
from django.utils import timezone

from apps.audit.actors import SYSTEM
from apps.audit.models import AuditEntry
from apps.credentials.caller import Caller, Code, Refused
from apps.credentials.configured import ConfiguredDirectory
from apps.credentials.database import DatabaseDirectory
from apps.credentials.models import PersonalToken
from apps.credentials.permissions import grantable_to
from apps.credentials.resolution import CredentialResolver
from apps.credentials.services import token_create
from apps.credentials.services.tokens import MAX_TOKENS
from apps.credentials.usage import UsageBuffer
from apps.credentials.uses import READ
from apps.identity.models import User
from apps.tenancy.models import Account, Membership, Role
from apps.tenancy.permissions import Permission
from tests.integration.identity.people import PASSWORD, Visitor, sign_in, with_totp

NEW: Final = "/profile/tokens/new"
FORM: Final = {"name": "laptop", "organisation": "acme", "preset": "read-only", "lifetime": "90"}


def confirmed(browser: Client, user: User) -> Client:
    """Signed in, and asked again who they are."""
    sign_in(browser, user.email)
    browser.post("/confirm", {"password": PASSWORD})
    return browser


def make(browser: Client, **changed: Any) -> Any:
    return browser.post(NEW, FORM | changed)


def shown(answer: Any) -> str:
    found = re.search(r"sk-inn-pat-[A-Za-z0-9_-]+(?=</code>)", answer.content.decode())
    assert found
    return found[0]


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 422
    return dict(answer.context["form"].errors)


def token_of(user: User, account: Account, name: str = "cli") -> PersonalToken:
    token, _ = token_create(
        account=account, user=user, name=name, permissions=[Permission.VIEW], actor=SYSTEM
    )
    return token


def resolver() -> CredentialResolver:
    directory = ConfiguredDirectory((), (), DatabaseDirectory())
    return CredentialResolver(directory, usage=UsageBuffer())


def verdict(plaintext: str, permission: Permission = Permission.VIEW) -> Caller | Refused:
    """As a process that has not met the token finds it."""
    return resolver().bearer_sync(plaintext, use=READ, permission=permission, env_name="production")


def test_a_token_is_shown_once_and_works(browser: Client, bob: User) -> None:
    answer = make(confirmed(browser, bob))
    plaintext = shown(answer)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    token = PersonalToken.objects.get(user=bob)
    assert (token.name, token.account.slug, token.permissions) == ("laptop", "acme", ["data.read", "view"])
    page = browser.get("/profile/tokens").content.decode()
    assert plaintext not in page
    assert token.preview in page
    assert plaintext not in str(list(AuditEntry.objects.values()))
    found = verdict(plaintext)
    assert isinstance(found, Caller)
    assert found.permissions == {Permission.VIEW, Permission.DATA_READ}


def test_the_list_says_what_each_token_is(browser: Client, bob: User, acme: Account) -> None:
    membership = Membership.objects.get(user=bob)
    Membership.objects.filter(id=membership.id).update(is_restricted=True)
    membership.environments.set(acme.environments.filter(slug="production"))
    token = token_of(bob, acme)
    PersonalToken.objects.filter(id=token.id).update(
        created_at="2026-01-02T00:00:00Z",
        last_used_at="2026-02-03T04:05:00Z",
        expires_at="2026-03-04T00:00:00Z",
    )
    sign_in(browser, bob.email)
    page = browser.get("/profile/tokens").content.decode()
    for text in ("cli", "Acme, Production · 1 permission", "<span>view</span>", "created 2 Jan 2026"):
        assert text in page, text
    assert "last used 3 Feb 2026, 04:05 UTC · expired 4 Mar 2026" in page
    assert "1 token<" in browser.get("/profile").content.decode()


def test_without_a_token_the_list_leads_to_the_first(browser: Client, bob: User) -> None:
    sign_in(browser, bob.email)
    page = browser.get("/profile/tokens").content.decode()
    assert "You have no personal tokens" in page
    assert f'href="{NEW}"' in page


def test_who_is_in_no_organisation_is_led_to_one(browser: Client, stranger: User) -> None:
    confirmed(browser, stranger)
    page = browser.get("/profile/tokens").content.decode()
    assert 'class="button" href="/orgs"' in page
    assert f'href="{NEW}"' not in page
    assert set(errors(make(browser))) == {"organisation", "preset"}


def test_nobody_makes_one_without_saying_again_who_they_are(browser: Client, bob: User) -> None:
    sign_in(browser, bob.email)
    for answer in (browser.get(NEW), make(browser)):
        assert answer["Location"] == "/confirm?next=%2Fprofile%2Ftokens%2Fnew"
    assert not PersonalToken.objects.exists()


def test_a_form_that_was_sent_goes_on_after_the_password(browser: Client, bob: User) -> None:
    sign_in(browser, bob.email)
    asked = make(browser)["Location"]
    assert shown(browser.post(asked, {"password": PASSWORD}))
    assert PersonalToken.objects.get().name == "laptop"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"organisation": "globex"}, "organisation"),
        ({"preset": "everything"}, "preset"),
        ({"preset": "metrics"}, "preset"),
        ({"preset": "custom"}, "permissions"),
        ({"preset": "custom", "permissions": ["member.manage"]}, "permissions"),
        ({"preset": "custom", "permissions": ["view", "audit.read"]}, "permissions"),
        ({"lifetime": "36500"}, "lifetime"),
        ({"lifetime": ""}, "lifetime"),
    ],
)
def test_what_is_refused_stands_at_its_field(
    browser: Client, bob: User, changed: dict[str, Any], field: str
) -> None:
    assert set(errors(make(confirmed(browser, bob), **changed))) == {field}
    assert not PersonalToken.objects.exists()


def test_names_may_have_128_characters(browser: Client, bob: User) -> None:
    shown(make(confirmed(browser, bob), name=f" {'x' * 128} "))
    assert PersonalToken.objects.get().name == "x" * 128


@pytest.mark.parametrize(("lifetime", "days"), [("30", 30), ("90", 90), ("365", 365)])
def test_a_token_expires_as_chosen(browser: Client, bob: User, lifetime: str, days: int) -> None:
    before = timezone.now()
    make(confirmed(browser, bob), lifetime=lifetime)
    expires_at = PersonalToken.objects.get().expires_at
    assert expires_at is not None
    assert before <= expires_at - timedelta(days=days) <= timezone.now()


def test_a_token_may_be_for_good(browser: Client, bob: User) -> None:
    make(confirmed(browser, bob), lifetime="never")
    assert PersonalToken.objects.get().expires_at is None


@pytest.mark.parametrize("role", Role)
def test_everything_is_what_the_role_may_do(browser: Client, bob: User, role: Role) -> None:
    Membership.objects.filter(user=bob).update(role=role)
    make(confirmed(browser, bob), preset="full")
    assert set(PersonalToken.objects.get().permissions) == {str(one) for one in grantable_to(role)}


def test_the_role_in_the_organisation_of_the_token_counts(
    browser: Client, bob: User, stranger: User, acme: Account
) -> None:
    """Bob owns another organisation, so the form offers what owners may do; Acme goes by his role there."""
    confirmed(browser, bob)
    browser.post("/orgs", {"name": "Bobs"})
    assert errors(make(browser, preset="metrics")) == {
        "preset": ["Your role in Acme, Developer, lacks usage.view."]
    }
    ticked = {"preset": "custom", "permissions": ["audit.read", "view"]}
    assert errors(make(browser, **ticked)) == {
        "permissions": ["Your role in Acme, Developer, lacks audit.read."]
    }
    shown(make(browser, organisation="bobs", **ticked))
    assert PersonalToken.objects.get().permissions == ["audit.read", "view"]


def test_a_role_that_is_lowered_later_bounds_the_token(browser: Client, bob: User) -> None:
    plaintext = shown(make(confirmed(browser, bob)))
    Membership.objects.filter(user=bob).update(role=Role.AUDITOR)
    found = verdict(plaintext, Permission.DATA_READ)
    assert isinstance(found, Refused)
    assert (found.status, found.code) == (403, Code.FORBIDDEN)


def test_tokens_are_counted(browser: Client, bob: User, acme: Account, alice: User) -> None:
    for number in range(MAX_TOKENS):
        token_of(bob, acme, f"cli {number}")
    refused = errors(make(confirmed(browser, bob)))
    assert refused == {
        "organisation": ["You have all the tokens that you may have in this organisation. Revoke some first."]
    }
    assert token_of(alice, acme).name == "cli"


def test_an_organisation_that_wants_a_second_factor_wants_it_here_too(
    browser: Client, bob: User, acme: Account
) -> None:
    Account.objects.filter(id=acme.id).update(requires_two_factor=True)
    confirmed(browser, bob)
    assert make(browser)["Location"] == "/profile/security"
    assert not PersonalToken.objects.exists()
    with_totp(bob)
    shown(make(browser))


def test_an_organisation_with_networks_takes_none_from_outside(
    browser: Client, bob: User, acme: Account
) -> None:
    Account.objects.filter(id=acme.id).update(allowed_networks=["192.0.2.0/24"])
    assert errors(make(confirmed(browser, bob))) == {
        "__all__": [
            "This organisation can only be seen from its own networks, and your address is in none of them."
        ]
    }
    assert not PersonalToken.objects.exists()


def test_a_revoked_token_is_refused(browser: Client, bob: User) -> None:
    plaintext = shown(make(confirmed(browser, bob)))
    token = PersonalToken.objects.get()
    path = f"/profile/tokens/{token.id}/revoke"
    page = browser.get(path).content.decode()
    assert "Revoke “laptop”?" in page
    assert token.preview in page
    assert isinstance(verdict(plaintext), Caller)
    assert browser.post(path)["Location"] == "/profile/tokens"
    found = verdict(plaintext)
    assert isinstance(found, Refused)
    assert (found.status, found.code) == (401, Code.REVOKED)
    assert token.preview not in browser.get("/profile/tokens").content.decode()
    assert browser.get(path).status_code == browser.post(path).status_code == 404
    entries = AuditEntry.objects.filter(target_id=str(token.id)).order_by("number")
    assert [(entry.action, entry.actor_id) for entry in entries] == [
        ("token.create", str(bob.pk)),
        ("token.revoke", str(bob.pk)),
    ]


def test_tokens_of_others_are_unknown(browser: Client, bob: User, alice: User, acme: Account) -> None:
    """To the owner of the organisation, too: what a person has is the person's."""
    token = token_of(bob, acme, "Bob's laptop")
    confirmed(browser, alice)
    assert "Bob" not in browser.get("/profile/tokens").content.decode()
    for path in (f"/profile/tokens/{token.id}/revoke", f"/profile/tokens/{uuid.uuid4()}/revoke"):
        assert browser.get(path).status_code == browser.post(path).status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


def test_the_pages_are_for_who_has_signed_in(server: object) -> None:
    User.objects.create_user("someone@acme.test")
    for path in ("/profile/tokens", NEW, f"/profile/tokens/{uuid.uuid4()}/revoke"):
        assert Visitor().get(path)["Location"] == f"/sign-in?next={path}"
