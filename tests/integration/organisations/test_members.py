import re

from django.core import mail
from pytest_django.fixtures import Settings

from apps.identity.models import User
from apps.tenancy.models import Account, Environment, Invitation, InvitationState, Membership, Role
from tests.integration.dashboard.pages import fragment, text
from tests.integration.organisations.conftest import SignedIn

PAGE = "/o/acme/settings/members"


def test_a_person_is_invited_and_the_link_works(
    signed_in: SignedIn, alice: User, acme: Account, server: Settings
) -> None:
    response = signed_in(alice).post(f"{PAGE}/invite", {"email": "new@acme.test", "role": "viewer"})
    link = re.search(r"/invite/([\w-]+)", text(response))
    assert link is not None
    assert link[0] in str(mail.outbox[-1].body)
    joining = User.objects.create_user("new@acme.test", "deep water runs cold")
    joining.emailaddress_set.create(email=joining.email, verified=True, primary=True)  # type: ignore[attr-defined]
    signed_in(joining).post(link[0])
    assert Membership.objects.get(account=acme, user=joining).role == Role.VIEWER


def test_without_mail_the_link_is_on_the_page(signed_in: SignedIn, alice: User, server: Settings) -> None:
    server.IS_MAIL_CONFIGURED = False
    response = signed_in(alice).post(f"{PAGE}/invite", {"email": "new@acme.test", "role": "viewer"})
    assert "This server sends no mail" in text(response)
    assert mail.outbox == []


def test_what_is_refused_stays_in_the_form(signed_in: SignedIn, alice: User, bob: User) -> None:
    response = signed_in(alice).post(f"{PAGE}/invite", {"email": "bob@acme.test", "role": "viewer"})
    assert response.status_code == 422
    assert "This person is a member already." in text(response)
    assert not Invitation.objects.exists()


def test_a_new_link_replaces_the_old_one_in_the_dialog(signed_in: SignedIn, alice: User) -> None:
    browser = signed_in(alice)
    browser.post(f"{PAGE}/invite", {"email": "new@acme.test", "role": "viewer"})
    row = Invitation.objects.get()
    headers = {"HX-Request": "true", "HX-Target": "dialog-body"}
    response = browser.post(f"/o/acme/settings/invitations/{row.id}/resend", headers=headers)
    assert "invitation-link" in text(response)
    assert Invitation.objects.get().token_hash != row.token_hash
    browser.post(f"/o/acme/settings/invitations/{row.id}/revoke")
    assert Invitation.objects.get().state == InvitationState.REVOKED


def test_role_and_restriction_are_changed(
    signed_in: SignedIn, alice: User, bob: User, staging: Environment
) -> None:
    row = Membership.objects.get(user=bob)
    url = f"{PAGE}/{row.id}"
    response = signed_in(alice).post(url, {"role": "operator", "environments": [str(staging.id)]})
    assert response["Location"] == PAGE
    row.refresh_from_db()
    assert (row.role, row.is_restricted, list(row.environments.all())) == (Role.OPERATOR, True, [staging])
    assert "only Staging" in text(signed_in(alice).get(PAGE))


def test_a_developer_sees_the_members_and_changes_none(signed_in: SignedIn, bob: User, alice: User) -> None:
    browser, row = signed_in(bob), Membership.objects.get(user=alice)
    html = text(browser.get(PAGE))
    assert "alice@acme.test" in html
    assert "Invite" not in html
    assert f"{PAGE}/{row.id}" not in html
    for url in (f"{PAGE}/{row.id}", f"{PAGE}/{row.id}/remove", f"{PAGE}/invite", f"{PAGE}/{row.id}/owner"):
        assert browser.post(url, {"role": "viewer", "email": "x@acme.test"}).status_code == 403
    row.refresh_from_db()
    assert row.role == Role.OWNER
    assert not Invitation.objects.exists()


def test_the_last_owner_stays(signed_in: SignedIn, alice: User, acme: Account) -> None:
    browser = signed_in(alice)
    assert "The last owner" in text(browser.post(f"{PAGE}/leave"))
    row = Membership.objects.get(user=alice)
    assert "The last owner" in text(browser.post(f"{PAGE}/{row.id}", {"role": "viewer"}))
    row.refresh_from_db()
    assert row.role == Role.OWNER


def test_a_member_leaves_and_is_removed(
    signed_in: SignedIn, alice: User, bob: User, viewer: User, acme: Account
) -> None:
    assert signed_in(bob).post(f"{PAGE}/leave")["Location"] == "/orgs"
    row = Membership.objects.get(user=viewer)
    signed_in(alice).post(f"{PAGE}/{row.id}/remove")
    assert list(acme.memberships.values_list("user__email", flat=True)) == ["alice@acme.test"]
    assert signed_in(viewer).get(PAGE).status_code == 404


def test_a_member_of_elsewhere_is_not_there(signed_in: SignedIn, alice: User, elsewhere: Account) -> None:
    row = elsewhere.memberships.get()
    assert signed_in(alice).post(f"{PAGE}/{row.id}/remove").status_code == 404
    assert elsewhere.memberships.count() == 1


def test_the_ownership_goes_to_another(signed_in: SignedIn, alice: User, bob: User) -> None:
    row = Membership.objects.get(user=bob)
    assert "Make Bob the owner?" in text(fragment(signed_in(alice), f"{PAGE}/{row.id}/owner", "dialog-body"))
    signed_in(alice).post(f"{PAGE}/{row.id}/owner")
    row.refresh_from_db()
    assert row.role == Role.OWNER
    assert Membership.objects.get(user=alice).role == Role.ADMIN


def test_a_form_that_is_refused_changes_neither_role_nor_restriction(
    signed_in: SignedIn, alice: User, bob: User, staging: Environment
) -> None:
    row = Membership.objects.get(user=bob)
    response = signed_in(alice).post(f"{PAGE}/{row.id}", {"role": "owner", "environments": [str(staging.id)]})
    assert response.status_code == 422
    row.refresh_from_db()
    assert (row.role, row.is_restricted) == (Role.DEVELOPER, False)


def test_an_admin_may_become_less(signed_in: SignedIn, alice: User, bob: User) -> None:
    row = Membership.objects.get(user=bob)
    Membership.objects.filter(id=row.id).update(role=Role.ADMIN)
    assert signed_in(bob).post(f"{PAGE}/{row.id}", {"role": "viewer"})["Location"] == PAGE
    row.refresh_from_db()
    assert row.role == Role.VIEWER
