"""Environments: made, renamed, and deleted long after they were archived (spec 05, 1.4)."""

import uuid
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apps.audit.services import Actor
from apps.tenancy import locks, names
from apps.tenancy.announcements import announce_change
from apps.tenancy.exceptions import (
    EnvironmentNameFixed,
    EnvironmentNotArchived,
    EnvironmentPermanent,
    InvalidColour,
    InvalidWeight,
    NameMismatch,
)
from apps.tenancy.models import Account, Environment, EnvironmentType
from apps.tenancy.services.archiving import (
    archive_due,
    audit_environment,
    environment_archive,
    environment_mark_synced,
    environment_set_auto_archive,
    environment_unarchive,
    is_permanent,
    lock_environment,
    tell_after_commit,
)
from apps.tenancy.services.branches import branch_resolve
from apps.tenancy.services.guards import default_weight, require_room, require_writable

__all__ = [
    "archive_due",
    "branch_resolve",
    "environment_archive",
    "environment_create",
    "environment_delete",
    "environment_mark_synced",
    "environment_rename",
    "environment_set_auto_archive",
    "environment_set_colour",
    "environment_set_weight",
    "environment_unarchive",
]

MAX_WEIGHT = 1_000
# Names of design tokens.
COLOURS = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "grey")
MIN_ARCHIVED = timedelta(hours=24)


@transaction.atomic
def environment_create(
    *,
    account: Account,
    name: str,
    actor: Actor,
    type: EnvironmentType = EnvironmentType.TEST,  # noqa: A002
) -> Environment:
    """A custom or another production environment, without credentials: `environment_provision` makes these.

    Raises InvalidName, EnvironmentLimit, AccountSuspended, AccountDeleting.
    """
    cleaned = names.clean_name(name)
    locked = locks.lock_account(account.id)
    require_writable(locked)
    require_room(locked, type)
    own_id = uuid.uuid4()
    slugs = set(locked.environments.values_list("slug", flat=True))
    environment = Environment.objects.create(
        id=own_id,
        account=locked,
        type=type,
        name=cleaned,
        name_norm=names.normal_name(cleaned),
        slug=names.make_slug(cleaned, own_id, slugs),
        weight=default_weight(type),
    )
    after = {"name": cleaned, "slug": environment.slug, "type": str(type)}
    audit_environment(environment, actor, "environment.create", {}, after)
    tell_after_commit(environment)
    return environment


@transaction.atomic
def environment_rename(*, environment: Environment, name: str, actor: Actor) -> Environment:
    """Its slug, and so its URLs, stay. Not for branches, whose names their senders say.

    Raises InvalidName, EnvironmentNameFixed, AccountSuspended, AccountDeleting, NotFound.
    """
    cleaned = names.clean_name(name)
    account, row = lock_environment(environment)
    require_writable(account)
    if row.type in (EnvironmentType.BRANCH_CHILD, EnvironmentType.BRANCH_PARENT):
        raise EnvironmentNameFixed
    before = row.name
    if before == cleaned:
        return row
    row.name, row.name_norm = cleaned, names.normal_name(cleaned)
    row.save(update_fields=["name", "name_norm"])
    audit_environment(row, actor, "environment.rename", {"name": before}, {"name": cleaned})
    announce_change(account.id)
    return row


@transaction.atomic
def environment_set_weight(*, environment: Environment, weight: int, actor: Actor) -> Environment:
    """Its share of the account's slots while its environments compete; holds for what is queued already.

    Raises InvalidWeight, AccountSuspended, AccountDeleting, NotFound, and what the engine raises, after the
    commit.
    """
    if not 1 <= weight <= MAX_WEIGHT:
        raise InvalidWeight
    account, row = lock_environment(environment)
    require_writable(account)
    before = row.weight
    if before != weight:
        row.weight = weight
        row.save(update_fields=["weight"])
        audit_environment(row, actor, "environment.weight", {"weight": before}, {"weight": weight})
    tell_after_commit(row)
    return row


@transaction.atomic
def environment_delete(*, environment: Environment, typed_name: str, actor: Actor) -> Environment:
    """Have an environment erased that was archived for 24 hours, which cannot be undone. It is hidden at
    once, and its name free; its data goes in the background.

    Raises NameMismatch, EnvironmentPermanent, EnvironmentNotArchived, AccountSuspended, AccountDeleting,
    NotFound.
    """
    account, row = lock_environment(environment)
    require_writable(account)
    if is_permanent(row):
        raise EnvironmentPermanent
    if typed_name.strip() != row.name:
        raise NameMismatch("Type the name of the environment exactly as it is to delete it.")
    if row.archived_at is None or row.archived_at > timezone.now() - MIN_ARCHIVED:
        raise EnvironmentNotArchived
    audit_environment(row, actor, "environment.delete", {"name": row.name, "slug": row.slug}, {})
    row.delete_requested_at, row.name_norm, row.slug = timezone.now(), str(row.id), row.id.hex
    row.save(update_fields=["delete_requested_at", "name_norm", "slug"])
    tell_after_commit(row)
    return row


@transaction.atomic
def environment_set_colour(*, environment: Environment, colour: str, actor: Actor) -> Environment:
    """One of COLOURS, empty for none, by which people tell environments apart.

    Raises InvalidColour, AccountSuspended, AccountDeleting, NotFound.
    """
    if colour and colour not in COLOURS:
        raise InvalidColour
    account, row = lock_environment(environment)
    require_writable(account)
    before = row.colour
    if before != colour:
        row.colour = colour
        row.save(update_fields=["colour"])
        audit_environment(row, actor, "environment.colour", {"colour": before}, {"colour": colour})
    return row
