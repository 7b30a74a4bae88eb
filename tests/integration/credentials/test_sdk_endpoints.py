"""Checkpoints and run state with stored keys: the run must belong to the caller's environment."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from apps.api.sdk_state import SdkStateApp
from apps.audit.services import SYSTEM
from apps.credentials.database import DatabaseDirectory
from apps.credentials.directory import DirectoryUnavailable
from apps.credentials.permissions import PRESETS
from apps.credentials.process import process_resolver
from apps.credentials.services import api_key_create
from apps.ingest.options import IngestOptions
from apps.refusals.buffer import RefusalBuffer
from apps.tenancy.models import Account, AccountStatus, Environment
from apps.tenancy.services.environments import branch_resolve
from tests.integration.credentials.world import Organisation, bearer, event_key, organisation, signing_key
from tests.integration.engine.engine_world import EngineWorld, function
from tests.integration.engine.test_sdk_state import elsewhere

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

STEP = "a" * 40
BODY = msgspec.json.encode({"steps": [{"op": "StepRun", "id": STEP, "data": {"v": 1}}]})


@pytest.fixture
def acme(transactional_db: None) -> Organisation:
    return organisation("Acme")


@pytest.fixture
def globex(transactional_db: None) -> Organisation:
    return organisation("Globex")


@pytest.fixture
async def web(engine_world: EngineWorld) -> AsyncIterator[httpx.AsyncClient]:
    options = IngestOptions("server", "", "0", max_event_bytes=1_000, max_body_bytes=10_000)
    app = SdkStateApp(options, engine_world.engine, elsewhere, RefusalBuffer(), process_resolver())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stepwell") as client:
        yield client


async def run_in(world: EngineWorld, environment: Environment) -> str:
    env_id = str(environment.id)
    await world.publish(function(f"fn-{env_id}", "app/go", env_id=env_id))
    await world.send("app/go", {"n": 1}, env=env_id, event_id=f"e-{env_id}")
    (handled,) = await world.handle()
    return handled.run_ids[0]


async def checkpoint(web: httpx.AsyncClient, run_id: str, secret: str) -> httpx.Response:
    return await web.post(f"/v1/checkpoint/{run_id}/async", content=BODY, headers=bearer(secret))


async def test_a_run_is_that_of_the_keys_environment(
    engine_world: EngineWorld, web: httpx.AsyncClient, acme: Organisation, globex: Organisation
) -> None:
    own, foreign, production = await sync_to_async(
        lambda: (signing_key(acme.production), signing_key(globex.production), acme.production)
    )()
    run_id = await run_in(engine_world, production)
    refused = await checkpoint(web, run_id, foreign)
    assert (refused.status_code, refused.json()["error"]) == (400, "run not found in state store")
    assert await engine_world.memos(run_id) == {}
    state = await web.get(f"/v0/runs/{run_id}/actions", headers=bearer(foreign))
    assert state.status_code == 410
    assert (await checkpoint(web, run_id, own)).status_code == 200
    assert await engine_world.memos(run_id) == {STEP: b'{"data":{"v":1}}'}
    state = await web.get(f"/v0/runs/{run_id}/actions", headers=bearer(own))
    assert (state.status_code, state.json()) == (200, {STEP: {"data": {"v": 1}}})


async def test_a_key_of_branches_is_good_for_the_runs_of_each(
    engine_world: EngineWorld, web: httpx.AsyncClient, acme: Organisation, globex: Organisation
) -> None:
    def branch() -> tuple[Environment, str, str, str]:
        made = branch_resolve(parent=acme.branches, name="feature", may_create=True, unarchives=False)
        other = signing_key(globex.branches)
        return made, signing_key(acme.branches), other, signing_key(acme.production)

    environment, own, foreign, production = await sync_to_async(branch)()
    run_id = await run_in(engine_world, environment)
    for secret in (foreign, production):
        assert (await checkpoint(web, run_id, secret)).status_code == 400
    assert await engine_world.memos(run_id) == {}
    assert (await checkpoint(web, run_id, own)).status_code == 200
    batch = await web.get(f"/v0/runs/{run_id}/batch", headers=bearer(own))
    assert (batch.status_code, batch.json()[0]["name"]) == (200, "app/go")


@pytest.mark.parametrize("secret", ["", "a" * 64, "event key"])
async def test_who_is_not_known(
    engine_world: EngineWorld, web: httpx.AsyncClient, acme: Organisation, secret: str
) -> None:
    run_id = await run_in(engine_world, await sync_to_async(lambda: acme.production)())
    presented = await sync_to_async(lambda: event_key(acme.production))() if " " in secret else secret
    for answer in (
        await checkpoint(web, run_id, presented),
        await web.get(f"/v0/runs/{run_id}/actions", headers=bearer(presented)),
    ):
        assert answer.status_code == 401
        assert answer.json() == {"error": "Authentication failed", "data": None, "status": 401}


async def test_only_apps_report_steps(
    engine_world: EngineWorld, web: httpx.AsyncClient, acme: Organisation
) -> None:
    def make() -> str:
        return api_key_create(
            account=acme.account,
            environment=acme.production,
            name="full",
            permissions=PRESETS["full"],
            actor=SYSTEM,
        )[1]

    secret = await sync_to_async(make)()
    run_id = await run_in(engine_world, await sync_to_async(lambda: acme.production)())
    answer = await checkpoint(web, run_id, secret)
    assert (answer.status_code, answer.json()) == (
        403,
        {
            "code": "forbidden",
            "error": "Steps are reported with a signing key",
            "data": None,
            "status": 403,
        },
    )
    assert (await web.get(f"/v0/runs/{run_id}/actions", headers=bearer(secret))).status_code == 200


async def test_runs_of_an_archived_environment_go_on_and_those_of_a_suspended_account_do_not(
    engine_world: EngineWorld, web: httpx.AsyncClient, acme: Organisation
) -> None:
    def archive() -> str:
        Environment.objects.filter(id=acme.production.id).update(archived_at=timezone.now())
        return signing_key(acme.production)

    run_id = await run_in(engine_world, await sync_to_async(lambda: acme.production)())
    secret = await sync_to_async(archive)()
    assert (await checkpoint(web, run_id, secret)).status_code == 200
    await Account.objects.filter(id=acme.account.id).aupdate(status=AccountStatus.SUSPENDED)
    process_resolver().cache.forget_all()
    answer = await checkpoint(web, run_id, secret)
    assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended")
    assert (await web.get(f"/v0/runs/{run_id}/actions", headers=bearer(secret))).status_code == 200


async def test_a_branch_that_cannot_be_looked_up_is_no_mistake_of_the_sdk(
    engine_world: EngineWorld, web: httpx.AsyncClient, acme: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is away, and this process has not met the branch yet: the SDK comes again."""

    def branch() -> tuple[Environment, str]:
        made = branch_resolve(parent=acme.branches, name="feature", may_create=True, unarchives=False)
        return made, signing_key(acme.branches)

    def away(directory: DatabaseDirectory, environment_id: UUID) -> None:
        raise DirectoryUnavailable

    environment, secret = await sync_to_async(branch)()
    run_id = await run_in(engine_world, environment)
    with monkeypatch.context() as patch:
        patch.setattr(DatabaseDirectory, "place", away)
        for answer in (
            await checkpoint(web, run_id, secret),
            await web.get(f"/v0/runs/{run_id}/actions", headers=bearer(secret)),
        ):
            assert (answer.status_code, answer.json()["error"]) == (
                503,
                "run state is not reachable at the moment",
            )
    assert (await checkpoint(web, run_id, secret)).status_code == 200
