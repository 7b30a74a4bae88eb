"""From the name that a call brings to a branch environment (spec 05, 1.5)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.tenancy.exceptions import (
    AccountSuspended,
    BranchLimit,
    BranchRateLimited,
    EnvironmentNotFound,
    EnvironmentUnspecified,
    InvalidName,
)
from apps.tenancy.models import Environment, EnvironmentType
from apps.tenancy.services.accounts import account_suspend
from apps.tenancy.services.environments import branch_resolve, environment_archive
from tests.integration.tenancy.cast import Cast, as_actor


def resolve(
    cast: Cast, name: str = "feature", *, may_create: bool = True, unarchives: bool = False
) -> Environment:
    parent = cast.environment("branch")
    return branch_resolve(parent=parent, name=name, may_create=may_create, unarchives=unarchives)


def branches(cast: Cast) -> list[str]:
    rows = cast.acme.environments.filter(type=EnvironmentType.BRANCH_CHILD)
    return list(rows.order_by("created_at").values_list("name", flat=True))


def test_a_branch_is_made_once(cast: Cast) -> None:
    made = resolve(cast, " Feature/Login ")
    assert (made.name, made.name_norm, made.slug) == ("Feature/Login", "feature/login", "feature-login")
    assert made.parent == cast.environment("branch")
    assert made.key_owner_id == cast.environment("branch").id
    assert resolve(cast, "feature/LOGIN").id == made.id
    assert cast.trail() == ["environment.create"]
    assert cast.last_entry().actor_kind == "system"


def test_names_that_share_a_slug_are_two_branches(cast: Cast) -> None:
    one, other = resolve(cast, "a/b"), resolve(cast, "a-b")
    assert (one.slug, other.slug) == ("a-b", f"a-b-{other.id.hex[:8]}")


@pytest.mark.parametrize("name", ["", "  "])
def test_a_name_is_needed(cast: Cast, name: str) -> None:
    with pytest.raises(EnvironmentUnspecified):
        resolve(cast, name)


@pytest.mark.parametrize("name", ["a\nb", "x" * 256])
def test_a_bad_name_makes_nothing(cast: Cast, name: str) -> None:
    with pytest.raises(InvalidName):
        resolve(cast, name)
    assert branches(cast) == []


def test_a_call_that_may_not_create_finds_or_does_not(cast: Cast) -> None:
    with pytest.raises(EnvironmentNotFound):
        resolve(cast, may_create=False)
    made = resolve(cast)
    assert resolve(cast, may_create=False).id == made.id


def test_an_archived_branch_comes_back_by_a_sync_only(cast: Cast) -> None:
    made = resolve(cast)
    environment_archive(environment=made, actor=as_actor(cast.alice))
    assert resolve(cast).is_archived
    assert not resolve(cast, may_create=False, unarchives=True).is_archived
    assert cast.trail() == ["environment.create", "environment.archive", "environment.unarchive"]


def test_branches_of_an_hour(cast: Cast) -> None:
    cast.acme.entitlements = {"branches_per_hour": 2}
    cast.acme.save()
    for name in ("one", "two"):
        resolve(cast, name)
    with pytest.raises(BranchRateLimited) as refusal:
        resolve(cast, "three")
    assert (refusal.value.code, refusal.value.status) == ("branch_rate_limited", 429)
    assert resolve(cast, "two").name == "two"
    Environment.objects.filter(name="one").update(created_at=timezone.now() - timedelta(minutes=61))
    resolve(cast, "three")
    assert sorted(branches(cast)) == ["one", "three", "two"]


def test_branches_at_a_time(cast: Cast) -> None:
    cast.acme.entitlements = {"branch_environments": 1}
    cast.acme.save()
    one = resolve(cast, "one")
    with pytest.raises(BranchLimit) as refusal:
        resolve(cast, "two")
    assert (refusal.value.code, refusal.value.status) == ("branch_limit", 429)
    environment_archive(environment=one, actor=as_actor(cast.alice))
    resolve(cast, "two")
    assert branches(cast) == ["one", "two"]


def test_a_sync_brings_no_branch_back_beyond_the_limit(cast: Cast) -> None:
    cast.acme.entitlements = {"branch_environments": 1}
    cast.acme.save()
    one, actor = resolve(cast, "one"), as_actor(cast.alice)
    environment_archive(environment=one, actor=actor)
    two = resolve(cast, "two")
    with pytest.raises(BranchLimit) as refusal:
        resolve(cast, "one", unarchives=True)
    assert (refusal.value.code, refusal.value.status) == ("branch_limit", 429)
    assert resolve(cast, "one").is_archived
    assert resolve(cast, "two", unarchives=True).id == two.id
    environment_archive(environment=two, actor=actor)
    assert not resolve(cast, "one", unarchives=True).is_archived


def test_a_suspended_organisation_gets_no_branch(cast: Cast) -> None:
    made = resolve(cast, "there")
    account_suspend(account=cast.acme, actor=as_actor(cast.mallory))
    with pytest.raises(AccountSuspended):
        resolve(cast)
    assert resolve(cast, "there").id == made.id


def test_organisations_do_not_share_branches(cast: Cast) -> None:
    own = resolve(cast)
    parent = cast.other.environments.get(slug="branch")
    foreign = branch_resolve(parent=parent, name="feature", may_create=True, unarchives=False)
    assert foreign.id != own.id
    assert foreign.account == cast.other
