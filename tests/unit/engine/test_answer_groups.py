"""Several ops in one answer, and none (spec 01, 8.3, 8.6 and 9; deferrals: 11.8)."""

import msgspec
import pytest

from apps.engine.executor.answer import apply_answer
from apps.engine.protocol.responses import Failed
from apps.engine.store.client import Argument
from tests.unit.engine.builders import (
    NOW,
    RUN,
    A,
    B,
    C,
    WireOp,
    answer,
    applied,
    data_of,
    ending,
    make_builder,
    make_state,
    op,
    opcodes,
    operations,
    step,
)

YEAR_MS = 365 * 86_400_000
RETRY: list[Argument] = ["R", NOW + 30_000, 1, b""]


def test_one_planned_step_is_no_group() -> None:
    builder = applied(op("StepPlanned", name="p"))
    assert operations(builder) == ["P", A, "0"]
    assert builder.records == [step(status="Queued", name="p", queued_at=NOW)]


def test_several_ops_form_a_group_and_plan_from_now_on() -> None:
    builder = applied(op("StepPlanned", A), op("Sleep", B, name="1s"), op("StepRun", C, data=1))
    assert operations(builder)[:8] == ["U", "Q", 3, A, B, C, "H", 0]
    assert opcodes(builder) == ["U", "Q", "H", "P", "Z", "S"]


def test_racing_steps_are_kept_apart() -> None:
    race = {"parallelMode": "race"}
    builder = applied(op("StepPlanned", A, opts=race), op("StepPlanned", B, opts=race), op("StepPlanned", C))
    assert operations(builder)[:8] == ["U", "Q", 1, C, "H", 2, A, B]


@pytest.mark.parametrize(
    ("known", "reported", "groups"), [(-1, 1, False), (-1, 2, True), (1, 2, False), (2, 1, True)]
)
def test_only_version_2_has_groups(known: int, reported: int, groups: bool) -> None:
    builder = make_builder(state=make_state(version=known))
    found = answer(op("StepPlanned", A), op("StepPlanned", B))
    found.req_version = reported
    apply_answer(builder, found)
    assert opcodes(builder) == (["U", "Q", "H", "P", "P"] if groups else ["U", "P", "P"])


def test_results_alone_form_no_group() -> None:
    assert opcodes(applied(op("StepRun", A), op("StepRun", B))) == ["U", "S", "S"]


def test_a_discovery_is_no_member_of_a_group() -> None:
    builder = applied(op("StepPlanned", A), op("DiscoveryRequest", B))
    assert operations(builder) == ["U", "Q", 1, A, "H", 0, "P", A, "0", "D"]


def test_waits_and_deferrals_come_first_and_ends_last() -> None:
    builder = applied(
        op("RunComplete", "e", data=1),
        op("StepRun", A, data=1),
        op("WaitForEvent", B, name="app/x"),
        op("DeferAdd", C, opts={"fn_slug": "app-later", "input": {}}),
    )
    assert opcodes(builder) == ["W", "L", "S", "F"]


def test_an_empty_answer_asks_again() -> None:
    assert operations(applied()) == ["E", 100]
    assert operations(applied(op("None", ""))) == ["E", 100]
    assert operations(applied(op("None", A))) == ["E", 100]


def test_deferrals_alone_lead_to_a_discovery() -> None:
    builder = applied(op("DeferAdd", A, opts={"fn_slug": "app-later", "input": {}}))
    assert opcodes(builder) == ["L", "D"]


def test_an_empty_op_beside_others_is_nothing() -> None:
    assert opcodes(applied(op("None", B), op("StepPlanned", A))) == ["P"]


def test_a_discovery_request_asks_again() -> None:
    builder = applied(op("DiscoveryRequest", A))
    assert operations(builder) == ["D"]
    assert builder.records == []


def test_too_many_empty_answers_in_a_row_fail_the_run() -> None:
    assert operations(applied(builder=make_builder(state=make_state(empty_answers=9)))) == ["E", 100]
    builder = applied(builder=make_builder(state=make_state(empty_answers=10)))
    assert builder.is_finished


def defer(op_id: str, given: object = None, **opts: object) -> WireOp:
    return op("DeferAdd", op_id, opts={"fn_slug": "app-later", "input": given or {}, **opts})


def test_deferrals_are_stored_and_sent_at_the_end() -> None:
    builder = applied(defer(A, {"n": 1}, meta={"m": 1}), op("RunComplete", "e", data=1))
    stored = b'{"function_slug":"app-later","input":{"n":1},"meta":{"m":1}}'
    assert operations(builder)[:3] == ["L", A, stored]
    finished, deferred = ending(builder)
    assert finished.name == "inngest/function.finished"
    body = msgspec.json.decode(deferred.body)
    assert body == {
        "data": {
            "n": 1,
            "_inngest": {
                "fn_slug": "app-later", "parent_app_id": "app-id", "parent_fn_id": "fn-id",
                "parent_fn_slug": "app-fn", "parent_run_id": RUN,
            },
        },
        "id": deferred.internal_id, "meta": {"m": 1}, "name": "inngest/deferred.schedule", "ts": NOW,
        "user": {},
    }  # fmt: skip


def test_an_aborted_deferral_is_not_sent() -> None:
    abort = op("DeferAbort", C, opts={"target_hashed_id": A})
    builder = applied(defer(A), defer(B, {"kept": 1}), abort, op("RunComplete", "e", data=1))
    deferred = [entry for entry in ending(builder) if entry.name == "inngest/deferred.schedule"]
    assert [data_of(entry)["kept"] for entry in deferred] == [1]


def test_deferrals_leave_with_a_failed_run_too() -> None:
    builder = make_builder(state=make_state(defers={A: b'{"function_slug":"app-later","input":{}}'}))
    apply_answer(builder, Failed(b"{}", no_retry=True))
    assert [entry.name for entry in ending(builder)][-1] == "inngest/deferred.schedule"


def test_deferrals_have_limits_and_never_fail_a_run() -> None:
    unusable = [op("DeferAdd", C, opts={"input": {}}), op("DeferAdd", C, opts={"fn_slug": "x", "input": [1]})]
    many = [defer(f"{number:040}") for number in range(25)]
    builder = applied(*unusable, *many, op("RunComplete", "e", data=1))
    assert opcodes(builder).count("L") == 20
    assert len(ending(builder)) == 21
    big = "x" * (3 * 1024 * 1024)
    builder = applied(defer(A, {"big": big}), defer(B, {"big": big}), op("RunComplete", "e", data=1))
    assert opcodes(builder).count("L") == 1


def test_a_deferral_is_added_once() -> None:
    known = b'{"function_slug":"app-first","input":{},"aborted":true}'
    builder = applied(defer(A), builder=make_builder(state=make_state(defers={A: known})))
    assert operations(builder) == ["D"]
    assert builder.state.defers == {A: known}
