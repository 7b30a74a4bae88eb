"""What a person may do where (apps/tenancy/access.py)."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from apps.tenancy.access import Access, access_for, support_access_for, visible_environments
from apps.tenancy.exceptions import (
    AccountDeleting,
    AccountSuspended,
    EnvironmentArchived,
    Forbidden,
    NotFound,
)
from apps.tenancy.models import AccountStatus, Environment, EnvironmentType, Membership, Role
from apps.tenancy.permissions import Permission, permissions_of
from tests.integration.tenancy.cast import Cast, join, person

P = Permission


def make_environment(cast: Cast, slug: str, parent: Environment | None = None) -> Environment:
    kind = EnvironmentType.BRANCH_CHILD if parent else EnvironmentType.TEST
    return Environment.objects.create(
        account=cast.acme, parent=parent, type=kind, name=slug, name_norm=slug, slug=slug
    )


def slugs(access: Access) -> list[str]:
    return [environment.slug for environment in visible_environments(access)]


def test_a_member_has_what_the_role_gives(cast: Cast) -> None:
    access = cast.access(cast.vera, "production")
    assert access.account == cast.acme
    assert access.environment == cast.environment("production")
    assert access.permissions == permissions_of(Role.VIEWER, EnvironmentType.PRODUCTION)
    assert (access.role, access.is_owner, access.is_support) == (Role.VIEWER, False, False)


def test_a_developer_may_more_outside_of_production(cast: Cast) -> None:
    dev = person("dev")
    join(cast.acme, dev, Role.DEVELOPER)
    assert not cast.access(dev, "production").has(P.REPLAY)
    assert cast.access(dev, "branch").has(P.REPLAY)
    assert not cast.access(dev).has(P.REPLAY)


def test_strangers_and_typing_errors_find_nothing(cast: Cast) -> None:
    inactive = person("gone")
    join(cast.acme, inactive, Role.OWNER)
    inactive.is_active = False
    inactive.save()
    for user, org, env in (
        (cast.mallory, "acme", None),
        (cast.mallory, "acme", "production"),
        (cast.alice, "acme", "nowhere"),
        (cast.alice, "nowhere", None),
        (AnonymousUser(), "acme", None),
        (inactive, "acme", None),
    ):
        with pytest.raises(NotFound):
            access_for(user, org, env)


def test_an_environment_of_another_organisation_is_not_found(cast: Cast) -> None:
    make_environment(cast, "staging")
    with pytest.raises(NotFound):
        access_for(cast.mallory, cast.other.slug, "staging")


def test_a_refusal_names_the_permission_and_who_can(cast: Cast) -> None:
    with pytest.raises(Forbidden) as refusal:
        cast.access(cast.vera, "production").require(P.REPLAY)
    assert refusal.value.permission == P.REPLAY
    assert refusal.value.roles == [Role.OWNER, Role.ADMIN, Role.OPERATOR]


@pytest.mark.parametrize(
    ("status", "refusal"),
    [(AccountStatus.SUSPENDED, AccountSuspended), (AccountStatus.DELETING, AccountDeleting)],
)
def test_a_stopped_organisation_is_read_only(
    cast: Cast, status: AccountStatus, refusal: type[Exception]
) -> None:
    cast.acme.status = status
    cast.acme.save()
    access = cast.access(cast.alice, "production")
    access.require(P.VIEW)
    access.require(P.AUDIT_READ)
    with pytest.raises(refusal):
        access.require(P.RUN_CANCEL)
    with pytest.raises(refusal):
        access.require(P.MEMBER_MANAGE)


def test_who_may_delete_the_organisation_may_take_it_back(cast: Cast) -> None:
    cast.acme.status = AccountStatus.DELETING
    cast.acme.save()
    cast.access(cast.alice).require(P.ACCOUNT_DELETE)
    with pytest.raises(Forbidden):
        cast.access(cast.adam).require(P.ACCOUNT_DELETE)


def test_nothing_starts_in_an_archived_environment(cast: Cast) -> None:
    staging = make_environment(cast, "staging")
    staging.archived_at = timezone.now()
    staging.save()
    access = cast.access(cast.alice, "staging")
    for permission in (P.RUN_RERUN, P.FUNCTION_INVOKE, P.REPLAY, P.FUNCTION_PAUSE):
        with pytest.raises(EnvironmentArchived):
            access.require(permission)
    for permission in (P.VIEW, P.DATA_READ, P.RUN_CANCEL, P.ENVIRONMENT_MANAGE):
        access.require(permission)


def test_a_restricted_member_sees_only_some_environments(cast: Cast) -> None:
    staging, branch = make_environment(cast, "staging"), cast.environment("branch")
    child = make_environment(cast, "feature", parent=branch)
    rita = person("rita")
    join(cast.acme, rita, Role.DEVELOPER, branch)
    assert slugs(cast.access(rita)) == [branch.slug, child.slug]
    assert cast.access(rita, "feature").has(P.REPLAY)
    for slug in ("production", staging.slug):
        with pytest.raises(NotFound):
            cast.access(rita, slug)


def test_a_restriction_cannot_be_lifted_by_who_it_restricts(cast: Cast) -> None:
    staging = make_environment(cast, "staging")
    rita = person("rita")
    join(cast.acme, rita, Role.ADMIN, staging)
    account, environment = cast.access(rita), cast.access(rita, "staging")
    for permission in (P.MEMBER_MANAGE, P.SSO_MANAGE, P.ACCOUNT_MANAGE):
        assert not account.has(permission)
        assert not environment.has(permission)
    assert not account.has(P.ENVIRONMENT_MANAGE)
    assert environment.has(P.KEY_MANAGE)


def test_a_restriction_outlives_its_environments(cast: Cast) -> None:
    staging = make_environment(cast, "staging")
    rita = person("rita")
    join(cast.acme, rita, Role.ADMIN, staging)
    staging.delete()
    assert slugs(cast.access(rita)) == []
    with pytest.raises(NotFound):
        cast.access(rita, "production")


def test_an_environment_that_is_being_erased_is_hidden(cast: Cast) -> None:
    staging = make_environment(cast, "staging")
    staging.delete_requested_at = timezone.now()
    staging.save()
    assert slugs(cast.access(cast.alice)) == ["branch", "production"]
    with pytest.raises(NotFound):
        cast.access(cast.alice, "staging")


def test_support_looks_where_it_is_allowed(cast: Cast) -> None:
    operator = person("operator")
    operator.is_staff = True
    operator.save()
    access = support_access_for(operator, "acme", "production")
    assert access.permissions == {P.VIEW, P.DATA_READ}
    assert (access.membership, access.is_support, access.is_owner) == (None, True, False)
    with pytest.raises(Forbidden):
        access.require(P.RUN_CANCEL)
    with pytest.raises(NotFound):
        support_access_for(cast.mallory, "acme")
    cast.acme.allows_support_access = False
    cast.acme.save()
    with pytest.raises(NotFound):
        support_access_for(operator, "acme")


def test_access_is_asked_again_under_the_lock(cast: Cast) -> None:
    access = cast.access(cast.adam)
    Membership.objects.filter(user=cast.adam).update(role=Role.VIEWER)
    assert not access.as_of(cast.acme).has(P.MEMBER_MANAGE)
    Membership.objects.filter(user=cast.adam).delete()
    with pytest.raises(NotFound):
        access.as_of(cast.acme)
