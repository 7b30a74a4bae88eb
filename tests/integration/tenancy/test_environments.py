"""Environments: made, renamed, weighed, archived and deleted."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.tenancy.exceptions import (
    AccountSuspended,
    EnvironmentLimit,
    EnvironmentNameFixed,
    EnvironmentNotArchived,
    EnvironmentNotBranch,
    EnvironmentPermanent,
    InvalidColour,
    InvalidName,
    InvalidWeight,
    NameMismatch,
    NotFound,
)
from apps.tenancy.models import Environment, EnvironmentType
from apps.tenancy.services import environments
from apps.tenancy.services.accounts import account_suspend
from tests.integration.tenancy.cast import Cast, as_actor


def create(cast: Cast, name: str = "Staging", **options: EnvironmentType) -> Environment:
    return environments.environment_create(
        account=cast.acme, name=name, actor=as_actor(cast.alice), **options
    )


def branch(cast: Cast, name: str = "feature") -> Environment:
    return environments.branch_resolve(
        parent=cast.environment("branch"), name=name, may_create=True, unarchives=False
    )


def reread(environment: Environment) -> Environment:
    return Environment.objects.get(id=environment.id)


def test_a_custom_environment(cast: Cast) -> None:
    made = create(cast, "  Stäging 2 ")
    assert (made.name, made.name_norm, made.slug) == ("Stäging 2", "stäging 2", "staging-2")
    assert (made.type, made.weight, made.parent, made.auto_archive_at) == ("test", 1, None, None)
    entry = cast.last_entry()
    assert (entry.action, entry.environment_id, entry.after) == (
        *("environment.create", made.id, {"name": "Stäging 2", "slug": "staging-2", "type": "test"}),
    )


def test_slugs_are_unique_in_an_organisation(cast: Cast) -> None:
    first, second = create(cast, "Production"), create(cast, "Staging")
    third = create(cast, "staging")
    foreign = environments.environment_create(
        account=cast.other, name="Staging", actor=as_actor(cast.mallory)
    )
    assert first.slug == f"production-{first.id.hex[:8]}"
    assert third.slug == f"staging-{third.id.hex[:8]}"
    assert (second.slug, foreign.slug) == ("staging", "staging")


def test_how_many_there_may_be(cast: Cast) -> None:
    cast.acme.entitlements = {"environments": 2}
    cast.acme.save()
    staging = create(cast)
    with pytest.raises(EnvironmentLimit):
        create(cast, "more")
    environments.environment_archive(environment=staging, actor=as_actor(cast.alice))
    assert create(cast, "more").slug == "more"


def test_none_comes_back_beyond_the_limit(cast: Cast) -> None:
    cast.acme.entitlements = {"environments": 2}
    cast.acme.save()
    staging, actor = create(cast), as_actor(cast.alice)
    environments.environment_archive(environment=staging, actor=actor)
    more = create(cast, "more")
    with pytest.raises(EnvironmentLimit):
        environments.environment_unarchive(environment=staging, actor=actor)
    assert reread(staging).is_archived
    assert cast.trail()[-1] == "environment.create"
    assert environments.environment_unarchive(environment=more, actor=actor).archived_at is None
    environments.environment_archive(environment=more, actor=actor)
    assert environments.environment_unarchive(environment=staging, actor=actor).archived_at is None


def test_branches_and_custom_environments_have_limits_of_their_own(cast: Cast) -> None:
    cast.acme.entitlements = {"environments": 1, "branch_environments": 1}
    cast.acme.save()
    feature, actor = branch(cast), as_actor(cast.alice)
    environments.environment_archive(environment=feature, actor=actor)
    assert environments.environment_unarchive(environment=feature, actor=actor).archived_at is None


def test_a_refused_one_is_not_made(cast: Cast) -> None:
    with pytest.raises(InvalidName):
        create(cast, "a\tb")
    account_suspend(account=cast.acme, actor=as_actor(cast.mallory))
    with pytest.raises(AccountSuspended):
        create(cast)
    assert cast.acme.environments.count() == 2


def test_renaming_keeps_the_slug(cast: Cast) -> None:
    staging = create(cast)
    for _ in range(2):
        renamed = environments.environment_rename(environment=staging, name="QA", actor=as_actor(cast.alice))
    assert (renamed.name, renamed.name_norm, renamed.slug) == ("QA", "qa", "staging")
    assert cast.trail() == ["environment.create", "environment.rename"]


def test_the_names_of_branches_are_fixed(cast: Cast) -> None:
    for environment in (branch(cast), cast.environment("branch")):
        with pytest.raises(EnvironmentNameFixed):
            environments.environment_rename(environment=environment, name="new", actor=as_actor(cast.alice))


@pytest.mark.parametrize("weight", [0, -1, 1001])
def test_a_weight_out_of_bounds(cast: Cast, weight: int) -> None:
    staging = create(cast)
    with pytest.raises(InvalidWeight):
        environments.environment_set_weight(environment=staging, weight=weight, actor=as_actor(cast.alice))
    assert reread(staging).weight == 1


def test_a_colour_tells_environments_apart(cast: Cast) -> None:
    production, actor = cast.environment("production"), as_actor(cast.alice)
    environments.environment_set_colour(environment=production, colour="red", actor=actor)
    with pytest.raises(InvalidColour):
        environments.environment_set_colour(environment=production, colour="#f00", actor=actor)
    assert reread(production).colour == "red"
    environments.environment_set_colour(environment=production, colour="", actor=actor)
    assert reread(production).colour == ""
    assert cast.trail() == ["environment.colour", "environment.colour"]


def test_archiving_and_unarchiving_are_idempotent(cast: Cast) -> None:
    staging, actor = create(cast), as_actor(cast.alice)
    first = environments.environment_archive(environment=staging, actor=actor).archived_at
    assert first is not None
    assert environments.environment_archive(environment=staging, actor=actor).archived_at == first
    for _ in range(2):
        assert environments.environment_unarchive(environment=staging, actor=actor).archived_at is None
    assert cast.trail() == ["environment.create", "environment.archive", "environment.unarchive"]


def test_what_cannot_be_archived(cast: Cast) -> None:
    actor = as_actor(cast.alice)
    for slug in ("production", "branch"):
        with pytest.raises(EnvironmentPermanent):
            environments.environment_archive(environment=cast.environment(slug), actor=actor)
    second = create(cast, "Production EU", type=EnvironmentType.PRODUCTION)
    assert second.weight == 4
    environments.environment_archive(environment=second, actor=actor)
    with pytest.raises(EnvironmentPermanent):
        environments.environment_archive(environment=cast.environment("production"), actor=actor)


def test_a_branch_is_archived_by_itself_after_its_last_sync(cast: Cast) -> None:
    stale, kept, fresh = branch(cast, "stale"), branch(cast, "kept"), branch(cast, "fresh")
    for row in (stale, kept, fresh):
        assert row.auto_archive_at is not None
        assert abs(row.auto_archive_at - row.created_at - timedelta(days=3)) < timedelta(seconds=5)
    Environment.objects.filter(id__in=[stale.id, kept.id]).update(auto_archive_at=timezone.now())
    environments.environment_set_auto_archive(environment=kept, is_on=False, actor=as_actor(cast.alice))
    assert (environments.archive_due(), environments.archive_due()) == (1, 0)
    assert [reread(row).is_archived for row in (stale, kept, fresh)] == [True, False, False]
    entry = cast.last_entry()
    assert (entry.action, entry.actor_kind, entry.target_label) == ("environment.archive", "system", "stale")


def test_a_sync_moves_the_date(cast: Cast) -> None:
    cast.acme.branch_archive_days = 10
    cast.acme.save()
    feature = branch(cast)
    long_ago = timezone.now() - timedelta(days=9)
    Environment.objects.filter(id=feature.id).update(auto_archive_at=long_ago)
    environments.environment_mark_synced(environment_id=feature.id)
    synced = reread(feature)
    assert synced.last_synced_at is not None
    assert synced.auto_archive_at == synced.last_synced_at + timedelta(days=10)
    environments.environment_mark_synced(environment_id=feature.id)
    assert reread(feature).last_synced_at == synced.last_synced_at


def test_other_environments_only_note_the_sync(cast: Cast) -> None:
    environments.environment_mark_synced(environment_id=cast.environment("production").id)
    production = cast.environment("production")
    assert production.last_synced_at is not None
    assert production.auto_archive_at is None


def test_an_unarchived_branch_has_its_full_time(cast: Cast) -> None:
    feature, actor = branch(cast), as_actor(cast.alice)
    Environment.objects.filter(id=feature.id).update(auto_archive_at=timezone.now() - timedelta(days=1))
    assert environments.archive_due() == 1
    back = environments.environment_unarchive(environment=feature, actor=actor)
    assert back.auto_archive_at is not None
    assert back.auto_archive_at > timezone.now() + timedelta(days=2)
    assert environments.archive_due() == 0


def test_only_branches_are_archived_by_themselves(cast: Cast) -> None:
    with pytest.raises(EnvironmentNotBranch):
        environments.environment_set_auto_archive(
            environment=cast.environment("production"), is_on=False, actor=as_actor(cast.alice)
        )


def archived(cast: Cast, environment: Environment, hours: int) -> Environment:
    since = timezone.now() - timedelta(hours=hours)
    Environment.objects.filter(id=environment.id).update(archived_at=since)
    return reread(environment)


def delete(cast: Cast, environment: Environment, typed_name: str) -> Environment:
    return environments.environment_delete(
        environment=environment, typed_name=typed_name, actor=as_actor(cast.alice)
    )


def test_deleting_needs_a_day_in_the_archive_and_the_exact_name(cast: Cast) -> None:
    staging = create(cast)
    with pytest.raises(EnvironmentNotArchived):
        delete(cast, staging, "Staging")
    with pytest.raises(EnvironmentNotArchived):
        delete(cast, archived(cast, staging, 23), "Staging")
    with pytest.raises(NameMismatch):
        delete(cast, archived(cast, staging, 25), "staging")
    with pytest.raises(EnvironmentPermanent):
        delete(cast, archived(cast, cast.environment("production"), 25), "Production")
    assert reread(staging).delete_requested_at is None


def test_what_is_deleted_is_hidden_and_its_name_free(cast: Cast) -> None:
    feature = archived(cast, branch(cast), 25)
    assert delete(cast, feature, "feature").delete_requested_at is not None
    with pytest.raises(NotFound):
        delete(cast, feature, "feature")
    with pytest.raises(NotFound):
        environments.environment_unarchive(environment=feature, actor=as_actor(cast.alice))
    again = branch(cast)
    assert (again.id != feature.id, again.slug) == (True, "feature")


def test_an_environment_of_another_organisation_cannot_be_reached(cast: Cast) -> None:
    staging = create(cast)
    staging.account_id = cast.other.id
    with pytest.raises(NotFound):
        environments.environment_archive(environment=staging, actor=as_actor(cast.mallory))
    assert not reread(staging).is_archived
