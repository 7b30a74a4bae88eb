"""Whole runs against an app that answers as an SDK does (spec 01, 8 and 9; spec 02, 6)."""

import asyncio
import hashlib
import hmac

import msgspec
import pytest
from aiohttp import web

from apps.engine import clock
from apps.engine.calls.app_client import AppClient
from apps.engine.checkpoints import save_checkpoint
from apps.engine.records import RunStarted
from tests.integration.engine.app_world import (
    SDK_HEADERS,
    AppWorld,
    Call,
    error,
    eventually,
    make_executor,
    ops,
    plan,
    result,
    running,
    step,
)

A, B, C = "a" * 40, "b" * 40, "c" * 40


def chain(length: int) -> "list[str]":
    return [f"{number:040}" for number in range(length)]


async def test_a_run_of_steps(platform: AppWorld) -> None:
    ids = chain(3)

    def handler(call: Call) -> web.Response:
        missing = [step_id for step_id in ids if step_id not in call.steps]
        return ops(step(missing[0], {"n": len(call.steps)})) if missing else result({"ok": True})

    await platform.publish("fn", handler)
    ended = await platform.run_to_end("fn", {"q": 1})
    assert (ended.status, ended.output) == ("Completed", b'{"ok":true}')
    assert [call.step_id for call in platform.calls] == ["step"] * 4
    first, second, _, last = platform.calls
    assert (first.body["version"], second.body["version"]) == (-1, 2)
    assert first.steps == {}
    assert last.steps == {step_id: {"data": {"n": number}} for number, step_id in enumerate(ids)}
    assert last.stack == {"stack": ids, "current": 3}
    assert first.ctx["attempt"] == 0
    assert (first.ctx["max_attempts"], first.ctx["fn_id"], first.ctx["run_id"]) == (5, "fn", ended.run_id)
    assert (first.ctx["generation_id"], first.ctx["disable_immediate_execution"]) == (1, False)
    assert first.headers["X-Run-ID"] == ended.run_id
    assert "X-Inngest-Signature" not in first.headers
    assert await platform.left_over() == set()
    started = [record for record in await platform.records() if isinstance(record, RunStarted)]
    assert [record.run_id for record in started] == [ended.run_id]


async def test_a_parallel_group_of_version_2_is_discovered_once(platform: AppWorld) -> None:
    both = asyncio.Barrier(2)

    async def handler(call: Call) -> web.Response:
        if call.step_id != "step":
            await both.wait()
            return ops(step(call.step_id, call.step_id[0]))
        return result(1) if call.steps else ops(plan(A), plan(B))

    await platform.publish("fn", handler)
    await platform.run_to_end("fn")
    assert sorted(call.step_id for call in platform.calls) == [A, B, "step", "step"]
    targeted = [call for call in platform.calls if call.step_id != "step"]
    assert {call.ctx["disable_immediate_execution"] for call in targeted} == {True}
    last = platform.calls[-1]
    assert last.steps == {A: {"data": "a"}, B: {"data": "b"}}
    assert last.ctx["disable_immediate_execution"] is False
    assert await platform.left_over() == set()


async def test_a_parallel_group_of_version_1_is_discovered_after_each(platform: AppWorld) -> None:
    def handler(call: Call) -> web.Response:
        if call.step_id != "step":
            return ops(step(call.step_id), X_Inngest_Req_Version="1")
        if len(call.steps) == 2:
            return result(1)
        return ops(*([] if call.steps else [plan(A), plan(B)]), X_Inngest_Req_Version="1")

    await platform.publish("fn", handler)
    await platform.run_to_end("fn")
    assert sorted({call.step_id for call in platform.calls}) == [A, B, "step"]
    assert [call.step_id for call in platform.calls].count(A) == 1
    later = [call for call in platform.calls if call.step_id == "step" and call.steps]
    assert {call.ctx["disable_immediate_execution"] for call in later} == {True}


async def test_a_race_ends_with_its_winner(platform: AppWorld) -> None:
    loser_may_go = asyncio.Event()
    race = {"opts": {"parallelMode": "race"}}

    async def handler(call: Call) -> web.Response:
        if call.step_id == B:
            await loser_may_go.wait()
        if call.step_id != "step":
            return ops(step(call.step_id) | race)
        return result("won") if call.steps else ops(plan(A) | race, plan(B) | race)

    await platform.publish("fn", handler)
    ended = await platform.run_to_end("fn")
    assert ended.output == b'"won"'
    assert await platform.engine.client.execute("ZCARD", "{q:0}:leases") == 1
    loser_may_go.set()
    await eventually(lambda: _is_empty(platform))
    assert len(await platform.ended()) == 1


async def _is_empty(world: AppWorld) -> bool:
    return await world.left_over() == set()


@pytest.mark.usefixtures("quick_retries")
async def test_a_failing_step_is_tried_again_and_then_fails(platform: AppWorld) -> None:
    failure = {"op": "StepError", "id": A, "error": {"name": "Boom", "message": "no"}}

    def handler(call: Call) -> web.Response:
        return result(call.steps) if call.steps else ops(failure)

    await platform.publish("fn", handler, retries=2)
    ended = await platform.run_to_end("fn")
    assert [call.ctx["attempt"] for call in platform.calls] == [0, 1, 2, 0]
    assert [call.ctx["generation_id"] for call in platform.calls] == [1, 2, 3, 1]
    assert len({call.ctx["job_id"] for call in platform.calls[:3]}) == 1
    assert msgspec.json.decode(ended.output) == {A: {"error": {"name": "Boom", "message": "no"}}}
    assert await platform.steps_of(ended.run_id) == [
        (A, 0, "Errored"), (A, 1, "Errored"), (A, 2, "Failed"), ("", 0, "Completed"),
    ]  # fmt: skip


@pytest.mark.usefixtures("quick_retries")
async def test_failing_requests_at_two_places_of_a_run_are_all_recorded(platform: AppWorld) -> None:
    def handler(call: Call) -> web.Response:
        if call.ctx["attempt"] == 0:
            return error(f"at {len(call.steps)}")
        return result(1) if call.steps else ops(step(A))

    await platform.publish("fn", handler)
    ended = await platform.run_to_end("fn")
    assert ended.status == "Completed"
    assert await platform.steps_of(ended.run_id) == [
        ("", 0, "Errored"), (A, 1, "Completed"), ("", 1, "Errored"), ("", 2, "Completed"),
    ]  # fmt: skip


@pytest.mark.usefixtures("quick_retries")
async def test_the_last_failing_request_fails_the_run(platform: AppWorld) -> None:
    await platform.publish("fn", lambda call: error("no"), retries=1)
    ended = await platform.run_to_end("fn")
    assert [call.ctx["attempt"] for call in platform.calls] == [0, 1]
    assert (ended.status, msgspec.json.decode(ended.output)["message"]) == ("Failed", "no")


async def test_retry_after_is_kept(platform: AppWorld) -> None:
    def handler(call: Call) -> web.Response:
        return result(1) if call.ctx["attempt"] else error("wait", Retry_After="1")

    await platform.publish("fn", handler)
    began = clock.now_ms()
    await platform.run_to_end("fn")
    assert clock.now_ms() - began >= 1_000


async def test_no_retry_ends_at_once(platform: AppWorld) -> None:
    await platform.publish("fn", lambda call: error("final", no_retry=True, status=400))
    ended = await platform.run_to_end("fn")
    assert (len(platform.calls), ended.status) == (1, "Failed")


async def test_the_server_makes_a_step_s_request(platform: AppWorld) -> None:
    gateway = {"op": "Gateway", "id": A, "opts": {"url": f"{platform.url}/nowhere", "method": "GET"}}

    def handler(call: Call) -> web.Response:
        return result(1) if call.steps else ops(gateway)

    await platform.publish("fn", handler)
    ended = await platform.run_to_end("fn")
    memo = platform.calls[-1].steps[A]
    assert isinstance(memo, dict)
    assert memo["data"]["status_code"] == 404
    assert await platform.steps_of(ended.run_id) == [(A, 0, "Completed"), ("", 0, "Completed")]


@pytest.mark.usefixtures("quick_retries")
async def test_a_step_s_request_that_gets_no_answer_is_tried_again(platform: AppWorld) -> None:
    gateway = {"op": "Gateway", "id": A, "opts": {"url": "http://127.0.0.1:1/", "method": "GET"}}

    def handler(call: Call) -> web.Response:
        return result(1) if call.steps else ops(gateway)

    await platform.publish("fn", handler, retries=1)
    ended = await platform.run_to_end("fn")
    memo = platform.calls[-1].steps[A]
    assert isinstance(memo, dict)
    assert memo["error"]["name"] == "GatewayError"
    assert len(platform.calls) == 2
    assert await platform.steps_of(ended.run_id) == [
        (A, 0, "Errored"), (A, 1, "Failed"), ("", 0, "Completed"),
    ]  # fmt: skip


async def test_a_large_state_is_left_to_the_app_to_fetch(platform: AppWorld) -> None:
    ids = chain(3)

    def handler(call: Call) -> web.Response:
        if call.body["use_api"]:
            return result("fetched")
        missing = [step_id for step_id in ids if step_id not in call.steps]
        return ops(step(missing[0], "x" * 2_000_000))

    await platform.publish("fn", handler)
    ended = await platform.run_to_end("fn")
    assert ended.output == b'"fetched"'
    last = platform.calls[-1]
    assert (last.steps, last.body["events"], last.ctx["use_api"]) == ({}, [], True)
    assert last.stack == {"stack": ids, "current": 3}


async def test_a_run_may_have_exactly_a_thousand_steps(platform: AppWorld) -> None:
    ids = chain(1_000)

    def handler(call: Call) -> web.Response:
        done = len(call.steps)
        return ops(*[step(step_id) for step_id in ids[done : done + 250]]) if done < 1_000 else result(done)

    await platform.publish("fn", handler)
    ended = await platform.run_to_end("fn")
    assert (ended.status, ended.output) == ("Completed", b"1000")


@pytest.mark.usefixtures("quick_retries")
async def test_checkpoints_of_a_request_renew_its_attempts(platform: AppWorld) -> None:
    """The request is on its last attempt when it saves a step; what fails after that has them all."""

    async def handler(call: Call) -> web.Response:
        if call.ctx["attempt"] == 1 and not call.steps:
            body = {
                "qi_id": call.ctx["qi_id"],
                "generation_id": call.ctx["generation_id"],
                "steps": [step(A)],
            }
            await save_checkpoint(platform.engine.queue, "env", call.run_id, msgspec.json.encode(body))
        return result(1) if call.ctx["generation_id"] == 3 else error("no")

    await platform.publish("fn", handler, retries=1)
    ended = await platform.run_to_end("fn")
    assert [call.ctx["attempt"] for call in platform.calls] == [0, 1, 1]
    assert ended.status == "Completed"


async def test_requests_are_signed_over_canonical_json(app_world: AppWorld) -> None:
    seen: list[tuple[bytes, str]] = []

    async def handler(call: Call) -> web.Response:
        seen.append((msgspec.json.encode(call.body), call.headers["X-Inngest-Signature"]))
        if len(call.steps) == 1:
            return result(call.body["event"])
        return ops(step(A, {"é": "<>&", "a": 1.0, "big": 1e21}))

    await app_world.publish("fn", handler)
    async with running(app_world, make_executor(app_world.engine.client, signing_key="0123ab")):
        ended = await app_world.run_to_end("fn", {"z": 1, "a": {"ü": [1, 2.5]}})
    assert ended.status == "Completed"
    assert len(seen) == 2
    for _, signature in seen:
        parts = dict(part.split("=") for part in signature.split("&"))
        assert abs(int(parts["t"]) - clock.now_ms() // 1000) < 60
    raw = b'{"big":1e+21,"a":1,"\xc3\xa9":"<>&"}'
    assert app_world.calls[-1].steps[A] == {"data": msgspec.json.decode(raw)}


async def test_the_signature_covers_the_bytes_that_were_sent(app_world: AppWorld) -> None:
    sent: list[bool] = []

    async def spy(self: AppClient, url: str, headers: dict[str, str], body: bytes) -> object:
        parts = dict(part.split("=") for part in headers["X-Inngest-Signature"].split("&"))
        expected = hmac.new(b"0123ab", body + parts["t"].encode(), hashlib.sha256).hexdigest()
        sent.append(parts["s"] == expected)
        return await call(self, url, headers, body)

    call = AppClient.call
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AppClient, "call", spy)
        await app_world.publish("fn", lambda call: result(1))
        async with running(app_world, make_executor(app_world.engine.client, signing_key="0123ab")):
            await app_world.run_to_end("fn", {"z": "é", "a": 1.0})
    assert sent == [True]


async def test_an_app_that_is_no_sdk_fails_the_attempt(platform: AppWorld) -> None:
    plain = {name: value for name, value in SDK_HEADERS.items() if name != "X-Inngest-SDK"}
    await platform.publish("fn", lambda call: web.Response(text="hello", headers=plain), retries=0)
    ended = await platform.run_to_end("fn")
    assert msgspec.json.decode(ended.output)["error"] == "The response did not come from an Inngest SDK"
