"""What is deleted is gone everywhere: rows, history, the queue, the log; nobody else's is touched."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
import redis
from django.apps import apps
from django.db import models
from django.utils import timezone

from apps.audit.models import INSTALLATION_ID, AuditEntry
from apps.audit.services import audit_verify
from apps.events.models import Event, EventOutcome, EventPayload
from apps.identity.models import User
from apps.runs.choices import RunStatus, StepStatus
from apps.runs.models import Run, RunEvent, RunPayload, StepAttempt, StepPayload
from apps.tenancy.models import Account, Environment
from apps.tenancy.services import purging
from apps.tenancy.services.accounts import account_delete_request, account_purge
from apps.tenancy.services.environments import (
    branch_resolve,
    environment_archive,
    environment_create,
    environment_delete,
)
from apps.tenancy.services.purging import purge_due
from tests.integration.tenancy.cast import Cast, as_actor
from tests.integration.tenancy.test_archived import is_live, start, sync

HISTORY = (Run, RunEvent, RunPayload, StepAttempt, StepPayload, Event, EventPayload, EventOutcome)


def add_history(environment: Environment, name: str) -> None:
    run_id = f"01{name.upper():0<24}"
    Run.objects.create(
        run_id=run_id,
        account_id=environment.account_id,
        environment_id=environment.id,
        app_id=UUID(int=1),
        function_id=UUID(int=2),
        function_version=1,
        status=RunStatus.COMPLETED,
        queued_at=1,
        has_output=True,
        version=1,
    )
    RunEvent.objects.create(run_id=run_id, position=0, event_id=run_id)
    RunPayload.objects.create(run_id=run_id, output="{}")
    StepAttempt.objects.create(run_id=run_id, step_id="s", attempt=0, status=StepStatus.COMPLETED)
    StepPayload.objects.create(run_id=run_id, step_id="s", attempt=0, output="{}")
    key = f"0:{name}"
    Event.objects.create(
        key=key,
        environment_id=environment.id,
        account_id=environment.account_id,
        internal_id=run_id,
        ts=1,
        received_at=1,
        is_internal=False,
    )
    EventPayload.objects.create(key=key, body="{}")
    EventOutcome.objects.create(key=key, environment_id=environment.id, internal_id=run_id, handled_at=1)


def counts() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in HISTORY}


def tenant_columns() -> list[tuple[type[models.Model], str, bool]]:
    """Table, column, and whether it is a foreign key, of all that name an account or an environment."""
    names = ("account_id", "environment_id", "parent_id")
    return [
        (model, field.attname, field.is_relation)
        for model in apps.get_models()
        if model.__module__.startswith("apps.")
        for field in model._meta.concrete_fields
        if field.attname in names
    ]


def leftovers(ids: set[UUID]) -> list[str]:
    """Columns that still name one of the ids."""
    return [
        f"{model.__name__}.{column}"
        for model, column, _ in tenant_columns()
        if model._default_manager.filter(**{f"{column}__in": ids}).exists()
    ]


def keys_of(queue: redis.Redis, ids: set[UUID]) -> list[str]:
    """Keys that name one of the ids, and sets that hold one."""
    texts = [str(id_) for id_ in ids]
    named = [key for key in queue.scan_iter() if any(text in key for text in texts)]
    for key in queue.scan_iter(_type="zset"):
        named += [key for member in queue.zrange(key, 0, -1) if any(text in member for text in texts)]
    return sorted(named)


def ask_to_delete(cast: Cast) -> None:
    account_delete_request(account=cast.acme, typed_name="Acme", actor=as_actor(cast.alice))
    Account.objects.filter(id=cast.acme.id).update(delete_at=timezone.now() - timedelta(seconds=1))


def test_an_organisation_is_gone_with_all_that_names_it(racing_cast: Cast, queue: redis.Redis) -> None:
    production = racing_cast.environment("production")
    parent = racing_cast.environment("branch")
    feature = branch_resolve(parent=parent, name="feature", may_create=True, unarchives=True)
    foreign = racing_cast.other.environments.get(slug="production")
    ids = {racing_cast.acme.id, production.id, parent.id, feature.id}
    for name, environment in (("own", production), ("branch", feature), ("foreign", foreign)):
        add_history(environment, name)
    functions = {environment: sync(environment).id for environment in (production, feature, foreign)}
    run = start(production, functions[production])
    foreign_run = start(foreign, functions[foreign])
    own_functions = {functions[production], functions[feature]}
    assert keys_of(queue, own_functions) != []

    ask_to_delete(racing_cast)
    length = AuditEntry.objects.filter(account_id=racing_cast.acme.id).count()
    assert (purge_due(), purge_due()) == (1, 0)

    assert not Account.objects.filter(id=racing_cast.acme.id).exists()
    assert leftovers(ids) == []
    assert counts() == {model.__name__: 1 for model in HISTORY}
    assert keys_of(queue, ids | own_functions) == []
    assert queue.keys(f"*{run}*") == []
    assert is_live(foreign, foreign_run)
    assert User.objects.filter(email="alice@example.com").exists()
    [entry] = AuditEntry.objects.filter(account_id=INSTALLATION_ID)
    assert (entry.action, entry.target_label, entry.before["slug"]) == ("account.purge", "Acme", "acme")
    assert entry.before["audit_log"]["entries"] == length
    assert audit_verify(racing_cast.other.id).count == 1


def test_a_purge_that_was_interrupted_goes_on(racing_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    production = racing_cast.environment("production")
    add_history(production, "own")
    ask_to_delete(racing_cast)

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr("apps.tenancy.services.purging.audit_record", fail)
        with pytest.raises(RuntimeError, match="away"):
            account_purge(account=racing_cast.acme)
    assert Account.objects.filter(id=racing_cast.acme.id).exists()
    assert AuditEntry.objects.filter(account_id=racing_cast.acme.id).exists()
    assert account_purge(account=racing_cast.acme)
    assert not account_purge(account=racing_cast.acme)
    assert counts() == {model.__name__: 0 for model in HISTORY}


def test_an_environment_is_gone_and_its_neighbours_stay(racing_cast: Cast, queue: redis.Redis) -> None:
    actor, production = as_actor(racing_cast.alice), racing_cast.environment("production")
    staging = environment_create(account=racing_cast.acme, name="Staging", actor=actor)
    for name, environment in (("own", staging), ("next", production)):
        add_history(environment, name)
    own, neighbour = sync(staging), sync(production)
    start(staging, own.id)
    run = start(production, neighbour.id)
    environment_archive(environment=staging, actor=actor)
    Environment.objects.filter(id=staging.id).update(archived_at=timezone.now() - timedelta(days=2))
    environment_delete(environment=staging, typed_name="Staging", actor=actor)
    assert (purge_due(), purge_due()) == (1, 0)
    assert leftovers({staging.id}) == ["AuditEntry.environment_id"]
    assert counts() == {model.__name__: 1 for model in HISTORY}
    assert keys_of(queue, {staging.id, own.id}) == []
    assert is_live(production, run)


def goes_with_another_row(model: type[models.Model]) -> bool:
    relations = [field for field in model._meta.concrete_fields if field.is_relation]
    return any(getattr(field.remote_field, "on_delete", None) is models.CASCADE for field in relations)


def test_every_table_of_tenants_goes_by_a_key_or_by_an_erasure() -> None:
    """A new table that names an environment without a foreign key needs one (apps/tenancy/hooks.py)."""
    erased = {"Run", "Event", "EventOutcome"}
    with_the_log = {"AuditEntry", "AuditHead"}
    keyless = {model.__name__ for model, _, _ in tenant_columns() if not goes_with_another_row(model)}
    assert keyless == erased | with_the_log


def test_one_that_cannot_be_erased_keeps_no_other_from_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for account, person in ((cast.acme, cast.alice), (cast.other, cast.mallory)):
        account_delete_request(account=account, typed_name=account.name, actor=as_actor(person))
    Account.objects.update(delete_at=timezone.now() - timedelta(seconds=1))
    first = Account.objects.filter(status="deleting").order_by("id").first()
    assert first is not None
    stop = purging._stop
    broken = list(first.environments.values_list("id", flat=True))

    def stopping(environment_ids: Sequence[UUID]) -> None:
        if set(environment_ids) == set(broken):
            raise RuntimeError("this one is broken")
        stop(environment_ids)

    monkeypatch.setattr(purging, "_stop", stopping)
    assert purge_due() == 1
    assert list(Account.objects.filter(status="deleting")) == [first]
    assert [record.levelname for record in caplog.records if record.name == purging.__name__] == ["ERROR"]
