"""What services of credentials do and refuse, and what of that is on record."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db.models import QuerySet
from django.utils import timezone
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks, Settings

from apps.audit.models import AuditEntry
from apps.audit.services import SYSTEM, Actor, audit_verify
from apps.credentials import formats, secrets, selectors
from apps.credentials.exceptions import (
    BeyondRole,
    CredentialNotFound,
    InvalidExpiry,
    InvalidFilter,
    InvalidPermissions,
    KeyLimit,
    KeysOfParent,
    NameTaken,
    NoPendingKey,
    NotRenamable,
    PendingKeyExists,
    ReasonRequired,
)
from apps.credentials.models import ApiKey, EventKey, FilterMode, KeySource, PersonalToken, SigningKey
from apps.credentials.permissions import PRESETS
from apps.credentials.services import (
    api_key_create,
    api_key_rename,
    api_key_revoke,
    environment_add,
    environment_provision,
    event_key_create,
    event_key_rename,
    event_key_reveal,
    event_key_revoke,
    event_key_set_filter,
    signing_key_create_pending,
    signing_key_delete_pending,
    signing_key_reveal,
    signing_key_revoke_retired,
    signing_key_rotate,
    token_create,
    token_revoke,
)
from apps.identity.models import User
from apps.tenancy.exceptions import AccountSuspended, EnvironmentArchived, InvalidName, NotFound
from apps.tenancy.models import Account, AccountStatus, Environment, Membership, Role
from apps.tenancy.permissions import Permission
from apps.tenancy.services.environments import branch_resolve
from apps.tenancy.services.memberships import membership_leave
from tests.integration.credentials.world import (
    Organisation,
    event_key,
    event_key_of,
    signing_key,
    signing_key_of,
)

pytestmark = pytest.mark.django_db

ACTOR = Actor(SYSTEM.kind, "", "a test", ip="203.0.113.9")


def actions(account: Account) -> list[str]:
    return list(
        AuditEntry.objects.filter(account_id=account.id).order_by("number").values_list("action", flat=True)
    )


def rows_of(model: QuerySet[Any]) -> list[dict[str, Any]]:
    return list(model.order_by("id").values())


def branch(acme: Organisation, name: str = "feature") -> Environment:
    return branch_resolve(parent=acme.branches, name=name, may_create=True, unarchives=False)


def test_an_organisation_begins_with_keys_for_each_environment(acme: Organisation) -> None:
    for environment, word in ((acme.production, "prod"), (acme.branches, "branch")):
        assert re.fullmatch(r"[A-Za-z0-9_-]{86}", event_key(environment))
        assert signing_key(environment).startswith(f"signkey-{word}-")
        assert event_key_of(environment).prefix == event_key(environment)[:7]
        assert signing_key_of(environment).bearer_hash == secrets.keyed_hash(
            formats.bearer_hash(signing_key(environment))
        )
    assert EventKey.objects.filter(account=acme.account).count() == 2
    assert SigningKey.objects.filter(account=acme.account).count() == 2
    assert actions(acme.account) == ["account.create"] + ["key.event.create", "key.signing.create"] * 2
    assert audit_verify(acme.account.id).is_intact


def test_provisioning_again_adds_nothing_and_a_branch_has_no_keys(acme: Organisation) -> None:
    environment_provision(acme.production, ACTOR)
    environment_provision(branch(acme), ACTOR)
    assert EventKey.objects.filter(account=acme.account).count() == 2
    assert SigningKey.objects.filter(account=acme.account).count() == 2


def test_a_custom_environment_gets_keys_of_its_own(acme: Organisation) -> None:
    staging = environment_add(account=acme.account, name="Staging", actor=ACTOR)
    assert signing_key(staging).startswith("signkey-test-")
    assert event_key(staging) != event_key(acme.production)


def test_secrets_are_in_no_column(acme: Organisation) -> None:
    key, plaintext = api_key_create(
        account=acme.account,
        environment=None,
        name="ci",
        permissions=PRESETS["deploy"],
        actor=ACTOR,
    )
    _, token = token_create(
        account=acme.account, user=acme.owner, name="laptop", permissions=[Permission.VIEW], actor=ACTOR
    )
    known = [event_key(acme.production), signing_key(acme.production), plaintext, token]
    known += [
        formats.bearer_hash(signing_key(acme.production)),
        signing_key(acme.production).rpartition("-")[2],
    ]
    rows = (
        EventKey.objects.all(),
        SigningKey.objects.all(),
        ApiKey.objects.all(),
        PersonalToken.objects.all(),
        AuditEntry.objects.all(),
    )
    stored = str([rows_of(each) for each in rows])
    assert [secret for secret in known if secret in stored] == []
    assert key.preview == plaintext[:15]


def test_an_event_key_is_made_renamed_and_revealed_on_record(acme: Organisation) -> None:
    key = event_key_create(environment=acme.production, name="  Backend ", actor=ACTOR)
    assert (key.name, key.is_default, key.source) == ("Backend", False, KeySource.KEY)
    assert event_key_rename(event_key=key, name="API", actor=ACTOR).name == "API"
    value = event_key_reveal(event_key=key, actor=ACTOR)
    assert secrets.keyed_hash(value) == key.value_hash
    assert actions(acme.account)[-3:] == ["key.event.create", "key.event.rename", "key.event.reveal"]
    entry = AuditEntry.objects.get(action="key.event.rename")
    assert (entry.before, entry.after) == ({"name": "Backend"}, {"name": "API"})
    assert (entry.ip, entry.environment_id, entry.target_label) == (
        "203.0.113.9",
        acme.production.id,
        "API",
    )


@pytest.mark.parametrize("name", ["", "   ", "x" * 129, "a\x00b"])
def test_names_have_an_end(acme: Organisation, name: str) -> None:
    with pytest.raises(InvalidName):
        event_key_create(environment=acme.production, name=name, actor=ACTOR)
    assert EventKey.objects.filter(account=acme.account).count() == 2


def test_a_filter_is_cleaned_and_an_empty_one_denies(acme: Organisation) -> None:
    key = event_key_of(acme.production)
    key = event_key_set_filter(
        event_key=key,
        mode=FilterMode.ALLOW,
        events=["orders/*", "", " orders/* ", "user.created"],
        ips=["10.1.2.3/8"],
        actor=ACTOR,
    )
    assert (key.filter_mode, key.filter_events, key.filter_ips) == (
        "allow",
        ["orders/*", "user.created"],
        ["10.0.0.0/8"],
    )
    key = event_key_set_filter(event_key=key, mode=FilterMode.ALLOW, events=[" "], ips=[], actor=ACTOR)
    assert (key.filter_mode, key.filter_events, key.filter_ips) == ("deny", [], [])
    with pytest.raises(InvalidFilter, match="neither an address nor a network"):
        event_key_set_filter(event_key=key, mode=FilterMode.DENY, events=[], ips=["x"], actor=ACTOR)


def test_a_key_of_an_integration_keeps_its_name(acme: Organisation) -> None:
    key = event_key_create(
        environment=acme.production, name="Vercel", source=KeySource.INTEGRATION, actor=ACTOR
    )
    with pytest.raises(NotRenamable):
        event_key_rename(event_key=key, name="Mine", actor=ACTOR)


def test_an_event_key_is_revoked_now_or_later(acme: Organisation) -> None:
    key = event_key_of(acme.production)
    later = timezone.now() + timedelta(hours=1)
    assert event_key_revoke(event_key=key, actor=ACTOR, at=later).revoked_at == later
    assert list(selectors.event_keys_qs(acme.production)) == [key]
    sooner = later - timedelta(minutes=30)
    assert event_key_revoke(event_key=key, actor=ACTOR, at=sooner).revoked_at == sooner
    revoked = event_key_revoke(event_key=key, actor=ACTOR)
    again = event_key_revoke(event_key=key, actor=ACTOR)
    assert revoked.revoked_at == again.revoked_at
    assert list(selectors.event_keys_qs(acme.production)) == []
    assert actions(acme.account).count("key.event.revoke") == 3
    with pytest.raises(InvalidExpiry):
        event_key_revoke(event_key=key, actor=ACTOR, at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(CredentialNotFound):
        event_key_rename(event_key=key, name="Gone", actor=ACTOR)


def test_branches_and_archived_environments_get_no_keys(acme: Organisation) -> None:
    child = branch(acme)
    with pytest.raises(KeysOfParent):
        event_key_create(environment=child, name="x", actor=ACTOR)
    with pytest.raises(KeysOfParent):
        signing_key_create_pending(environment=child, actor=ACTOR)
    Environment.objects.filter(id=acme.production.id).update(archived_at=timezone.now())
    with pytest.raises(EnvironmentArchived):
        event_key_create(environment=acme.production, name="x", actor=ACTOR)


def test_a_suspended_organisation_changes_no_keys(acme: Organisation) -> None:
    Account.objects.filter(id=acme.account.id).update(status=AccountStatus.SUSPENDED)
    with pytest.raises(AccountSuspended):
        event_key_create(environment=acme.production, name="x", actor=ACTOR)
    with pytest.raises(AccountSuspended):
        signing_key_create_pending(environment=acme.production, actor=ACTOR)


def test_keys_are_counted(acme: Organisation) -> None:
    acme.account.entitlements = {"event_keys": 3, "webhooks": 1, "api_keys": 0}
    acme.account.save()
    event_key_create(environment=acme.production, name="third", actor=ACTOR)
    with pytest.raises(KeyLimit, match="may have 3 event keys"):
        event_key_create(environment=acme.production, name="fourth", actor=ACTOR)
    event_key_create(environment=acme.production, name="hook", source=KeySource.WEBHOOK, actor=ACTOR)
    with pytest.raises(KeyLimit, match="may have 1 webhooks"):
        event_key_create(environment=acme.production, name="hook", source=KeySource.WEBHOOK, actor=ACTOR)
    with pytest.raises(KeyLimit, match="may have 0 api keys"):
        api_key_create(
            account=acme.account, environment=None, name="x", permissions=[Permission.VIEW], actor=ACTOR
        )
    event_key_revoke(event_key=event_key_of(acme.production), actor=ACTOR)
    event_key_create(environment=acme.production, name="in its place", actor=ACTOR)


def test_the_servers_limits_are_settings(acme: Organisation, settings: Settings) -> None:
    settings.STEPWELL_ENTITLEMENTS = {"event_keys": 2}
    with pytest.raises(KeyLimit):
        event_key_create(environment=acme.production, name="third", actor=ACTOR)
    acme.account.entitlements = {"event_keys": None}
    acme.account.save()
    event_key_create(environment=acme.production, name="third", actor=ACTOR)


def test_one_key_is_active_and_one_at_most_pending(acme: Organisation) -> None:
    active = signing_key_of(acme.production)
    with pytest.raises(NoPendingKey):
        signing_key_rotate(environment=acme.production, actor=ACTOR)
    pending = signing_key_create_pending(environment=acme.production, actor=ACTOR)
    with pytest.raises(PendingKeyExists):
        signing_key_create_pending(environment=acme.production, actor=ACTOR)
    assert selectors.signing_keys(acme.production) == [active, pending]
    signing_key_delete_pending(environment=acme.production, actor=ACTOR)
    assert selectors.signing_keys(acme.production) == [active]
    with pytest.raises(NoPendingKey):
        signing_key_delete_pending(environment=acme.production, actor=ACTOR)


def test_a_rotation_retires_the_old_key_for_a_day(acme: Organisation) -> None:
    old = signing_key_of(acme.production)
    pending = signing_key_create_pending(environment=acme.production, actor=ACTOR)
    before = timezone.now()
    assert signing_key_rotate(environment=acme.production, actor=ACTOR) == pending
    old.refresh_from_db()
    assert signing_key_of(acme.production) == pending
    assert (old.state, old.retired_at is not None) == ("retired", True)
    assert old.retired_until is not None
    assert timedelta(hours=24) <= old.retired_until - before <= timedelta(hours=24, minutes=1)
    assert selectors.signing_keys(acme.production) == [pending, old]
    signing_key_revoke_retired(signing_key=old, actor=ACTOR)
    signing_key_revoke_retired(signing_key=old, actor=ACTOR)
    assert selectors.signing_keys(acme.production) == [pending]
    assert actions(acme.account)[-3:] == [
        "key.signing.create",
        "key.signing.rotate",
        "key.signing.revoke",
    ]
    with pytest.raises(CredentialNotFound):
        signing_key_revoke_retired(signing_key=pending, actor=ACTOR)


def test_an_emergency_has_no_grace_needs_a_reason_and_is_told(
    acme: Organisation,
    globex: Organisation,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    old = signing_key_of(acme.production)
    signing_key_create_pending(environment=acme.production, actor=ACTOR)
    with pytest.raises(ReasonRequired):
        signing_key_rotate(environment=acme.production, actor=ACTOR, is_emergency=True, reason=" ")
    with django_capture_on_commit_callbacks(execute=True):
        signing_key_rotate(environment=acme.production, actor=ACTOR, is_emergency=True, reason="It leaked")
    old.refresh_from_db()
    assert old.retired_until is not None
    assert old.retired_until <= timezone.now()
    (letter,) = mail.outbox
    assert letter.to == [acme.owner.email]
    assert "Reason: It leaked" in letter.body
    assert signing_key(acme.production) not in letter.body


def test_a_security_address_gets_the_letter(
    acme: Organisation, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    Account.objects.filter(id=acme.account.id).update(security_email="security@acme.example")
    signing_key_create_pending(environment=acme.production, actor=ACTOR)
    with django_capture_on_commit_callbacks(execute=True):
        signing_key_rotate(environment=acme.production, actor=ACTOR, is_emergency=True, reason="x")
    assert [letter.to for letter in mail.outbox] == [["security@acme.example"]]


def test_revealing_a_signing_key_is_on_record(acme: Organisation) -> None:
    value = signing_key_reveal(signing_key=signing_key_of(acme.production), actor=ACTOR)
    assert value == signing_key(acme.production)
    assert actions(acme.account)[-1] == "key.signing.reveal"


def test_an_api_key_is_shown_once_and_has_a_name_of_its_own(acme: Organisation) -> None:
    later = timezone.now() + timedelta(days=1)
    key, plaintext = api_key_create(
        account=acme.account,
        environment=acme.production,
        name="ci",
        permissions=PRESETS["deploy"],
        actor=ACTOR,
        expires_at=later,
    )
    assert plaintext.startswith("sk-inn-api-")
    assert key.permissions == ["app.archive", "app.sync", "view"]
    assert key.expires_at == later
    with pytest.raises(NameTaken):
        api_key_create(
            account=acme.account, environment=None, name="ci", permissions=[Permission.VIEW], actor=ACTOR
        )
    other, _ = api_key_create(
        account=acme.account, environment=None, name="ops", permissions=[Permission.VIEW], actor=ACTOR
    )
    with pytest.raises(NameTaken):
        api_key_rename(api_key=other, name="ci", actor=ACTOR)
    assert api_key_rename(api_key=other, name="operations", actor=ACTOR).name == "operations"
    api_key_revoke(api_key=key, actor=ACTOR)
    assert api_key_revoke(api_key=key, actor=ACTOR).revoked_at is not None
    assert list(selectors.api_keys_qs(acme.account.id)) == [other]
    assert actions(acme.account).count("key.api.revoke") == 1
    assert api_key_rename(api_key=other, name="ci", actor=ACTOR).name == "ci"


def test_what_no_key_may_have(acme: Organisation, globex: Organisation) -> None:
    refused: list[list[Permission]] = [
        [],
        [Permission.ACCOUNT_DELETE],
        [Permission.VIEW, Permission.MEMBER_MANAGE],
    ]
    for permissions in refused:
        with pytest.raises(InvalidPermissions):
            api_key_create(
                account=acme.account, environment=None, name="x", permissions=permissions, actor=ACTOR
            )
    with pytest.raises(InvalidExpiry):
        api_key_create(
            account=acme.account,
            environment=None,
            name="x",
            permissions=[Permission.VIEW],
            actor=ACTOR,
            expires_at=timezone.now(),
        )
    with pytest.raises(CredentialNotFound):
        api_key_create(
            account=acme.account,
            environment=globex.production,
            name="x",
            permissions=[Permission.VIEW],
            actor=ACTOR,
        )
    assert ApiKey.objects.count() == 0


def test_an_environment_that_is_being_deleted_gets_no_keys(acme: Organisation) -> None:
    staging = environment_add(account=acme.account, name="Staging", actor=ACTOR)
    Environment.objects.filter(id=staging.id).update(delete_requested_at=timezone.now())
    before = rows_of(ApiKey.objects.all()), rows_of(EventKey.objects.all()), rows_of(SigningKey.objects.all())
    with pytest.raises(NotFound):
        api_key_create(
            account=acme.account, environment=staging, name="x", permissions=[Permission.VIEW], actor=ACTOR
        )
    with pytest.raises(NotFound):
        event_key_create(environment=staging, name="x", actor=ACTOR)
    with pytest.raises(NotFound):
        signing_key_create_pending(environment=staging, actor=ACTOR)
    after = rows_of(ApiKey.objects.all()), rows_of(EventKey.objects.all()), rows_of(SigningKey.objects.all())
    assert after == before


def test_a_token_is_for_members(acme: Organisation, globex: Organisation) -> None:
    with pytest.raises(NotFound):
        token_create(
            account=acme.account, user=globex.owner, name="x", permissions=[Permission.VIEW], actor=ACTOR
        )
    token, plaintext = token_create(
        account=acme.account, user=acme.owner, name="cli", permissions=[Permission.VIEW], actor=ACTOR
    )
    assert plaintext.startswith(token.preview)
    assert list(selectors.tokens_qs(acme.owner.id)) == [token]
    token_revoke(token=token, actor=ACTOR)
    assert list(selectors.tokens_qs(acme.owner.id)) == []


def test_a_token_may_no_more_than_the_role_of_its_person(acme: Organisation) -> None:
    viewer = User.objects.create_user("viewer@acme.example")
    Membership.objects.create(account=acme.account, user=viewer, role=Role.VIEWER)
    wanted = [Permission.VIEW, Permission.REPLAY, Permission.RUN_CANCEL]
    with pytest.raises(BeyondRole, match=r"^Your role in Acme, Viewer, lacks replay, run\.cancel\.$"):
        token_create(account=acme.account, user=viewer, name="x", permissions=wanted, actor=ACTOR)
    assert not PersonalToken.objects.exists()
    # What a developer may do outside of production only, the role bounds at each request.
    Membership.objects.filter(user=viewer).update(role=Role.DEVELOPER)
    token, _ = token_create(account=acme.account, user=viewer, name="x", permissions=wanted, actor=ACTOR)
    assert token.permissions == ["replay", "run.cancel", "view"]


def test_who_leaves_keeps_no_token(acme: Organisation) -> None:
    member = User.objects.create_user("member@acme.example")
    Membership.objects.create(account=acme.account, user=member, role=Role.DEVELOPER)
    for user in (member, acme.owner):
        token_create(account=acme.account, user=user, name="cli", permissions=[Permission.VIEW], actor=ACTOR)
    membership_leave(account=acme.account, user=member, actor=ACTOR)
    assert list(selectors.tokens_qs(member.id)) == []
    assert selectors.tokens_qs(acme.owner.id).count() == 1


def test_no_environment_sees_the_keys_of_another(acme: Organisation, globex: Organisation) -> None:
    foreign = event_key_of(globex.production)
    assert selectors.event_key_by_id(acme.production, foreign.id) is None
    assert selectors.signing_key_by_id(acme.production, signing_key_of(globex.production).id) is None
    assert selectors.event_key_by_id(globex.production, foreign.id) == foreign
    assert selectors.event_key_for_sending(branch(acme)) == event_key_of(acme.branches)
