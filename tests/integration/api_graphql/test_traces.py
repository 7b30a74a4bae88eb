"""Both span trees, outputs and triggers (spec 03, 6.7 to 6.9)."""

from collections.abc import Callable, Iterator

import pytest

from apps.api.graphql.output_ids import encode_output_id
from apps.registry.models import Function
from apps.runs.choices import RunStatus, StepStatus
from apps.runs.models import Run
from apps.runs.trace import OutputRef
from tests.integration.api_graphql.data import (
    T0,
    Json,
    ask,
    make_app,
    make_attempt,
    make_event,
    make_function,
    make_run,
)

pytestmark = pytest.mark.django_db

SPAN = """
    name status attempts stepOp stepType isRoot spanID parentSpanID outputID duration endedAt stepID
    stepInfo {
        __typename
        ... on RunStepInfo {type}
        ... on SleepStepInfo {sleepUntil}
        ... on WaitForEventStepInfo {eventName expression waitTimeout: timeout foundEventID timedOut}
        ... on WaitForSignalStepInfo {signal signalTimeout: timeout timedOut}
        ... on InvokeStepInfo {
            triggeringEventID functionID invokeTimeout: timeout returnEventID runID timedOut
        }
    }
"""
TREE = f"{{{SPAN} childrenSpans {{{SPAN} childrenSpans {{{SPAN}}}}}}}"

BOOM: Json = {"message": "boom!", "name": "ValueError", "stack": "Trace", "cause": {"message": "why"}}
TIMEOUT = "2024-11-23T14:07:01.41Z"


@pytest.fixture
def function() -> Function:
    return make_function(make_app())


def legacy(run: Run) -> Json:
    trace = ask(f'{{run(runID: "{run.run_id}") {{trace {TREE}}}}}').data["run"]
    assert isinstance(trace, dict)
    root: Json = trace["trace"]
    return root


def preview(run: Run) -> Json:
    query = f"""query($id: String!) {{
        runTrace(runID: $id) {TREE}
        run(runID: $id) {{trace(preview: true) {TREE}}}
    }}"""
    reply = ask(query, id=run.run_id)
    root = reply.data["runTrace"]
    assert isinstance(root, dict)
    assert reply.data["run"] == {"trace": root}
    return root


def outline(span: Json, depth: int = 0) -> Iterator[str]:
    """One line a span: name, status, attempts, kind, and whether it has an output."""
    kind = span["stepOp"] or span["stepType"] or "-"
    output = "output" if span["outputID"] else "-"
    yield f"{'  ' * depth}{span['name']} {span['status']} {span['attempts']} {kind} {output}"
    children = span.get("childrenSpans", [])
    assert isinstance(children, list)
    for child in children:
        yield from outline(child, depth + 1)


def child(span: Json, position: int = 0) -> Json:
    children = span["childrenSpans"]
    assert isinstance(children, list)
    found: Json = children[position]
    return found


def output_of(span: Json) -> Json:
    query = """query($id: String!) {
        runTraceSpanOutputByID(outputID: $id) {input data error {message name stack cause}}
    }"""
    output = ask(query, id=span["outputID"]).data["runTraceSpanOutputByID"]
    assert isinstance(output, dict)
    return output


@pytest.fixture
def completed(function: Function) -> Run:
    run = make_run(function, make_event("demo/go", {"a": 1}), output={"ok": True})
    make_attempt(run, "step-a", times=(0, 1, 5), output="str-out", info={"status_code": 206})
    make_attempt(run, "nap", op="Sleep", times=(6, 6, 9), info={"sleep_until": TIMEOUT})
    make_attempt(run, "step-b", times=(9, 10, 12), output={"data": 1})
    make_attempt(run, "", times=(12, 13, 14), info={"status_code": 200})
    return run


@pytest.fixture
def failed(function: Function) -> Run:
    run = make_run(function, make_event(), status=RunStatus.FAILED, output=BOOM)
    make_attempt(run, "boom", StepStatus.ERRORED, times=(0, 1, 2), error=BOOM)
    make_attempt(run, "boom", StepStatus.FAILED, attempt=1, times=(3, 4, 5), error=BOOM)
    make_attempt(run, "", StepStatus.FAILED, times=(5, 6, 7), error=BOOM)
    return run


def test_legacy_tree_of_a_completed_run(completed: Run) -> None:
    assert list(outline(legacy(completed))) == [
        "myapp-hello COMPLETED 0 - output",
        "  step-a COMPLETED 0 RUN output",
        "  nap COMPLETED 0 SLEEP -",
        "  step-b COMPLETED 0 RUN output",
        "  function success COMPLETED 0 - output",
    ]


def test_legacy_tree_of_a_failed_run(failed: Run) -> None:
    root = legacy(failed)
    assert list(outline(root)) == [
        "myapp-hello FAILED 0 - output",
        "  boom FAILED 2 - output",
        "    Attempt 0 FAILED 0 RUN output",
        "    Attempt 1 FAILED 1 RUN output",
        "  function error FAILED 1 - output",
        "    Attempt 0 FAILED 0 - output",
    ]
    group = child(root)
    assert str(group["spanID"]).startswith("exec-")
    assert (group["stepID"], group["stepInfo"]) == ("id-boom", None)
    assert child(group)["parentSpanID"] == root["spanID"]
    assert child(group)["stepID"] == "id-boom"


def test_legacy_tree_of_a_step_that_succeeded_after_a_retry(function: Function) -> None:
    run = make_run(function)
    make_attempt(run, "flaky", StepStatus.ERRORED, times=(0, 1, 2))
    make_attempt(run, "flaky", attempt=1, times=(3, 4, 9))
    root = legacy(run)
    assert list(outline(root))[1:] == [
        "  flaky COMPLETED 1 RUN output",
        "    Attempt 0 FAILED 0 RUN output",
        "    Attempt 1 COMPLETED 1 RUN output",
    ]
    assert str(child(root)["spanID"]).startswith("steprun-")
    assert child(root)["duration"] == 8


def test_legacy_tree_while_retries_are_pending(function: Function) -> None:
    run = make_run(function, status=RunStatus.RUNNING)
    make_attempt(run, "boom", StepStatus.ERRORED, times=(0, 1, 2))
    make_attempt(run, "", StepStatus.ERRORED, times=(3, 4, 5))
    root = legacy(run)
    assert list(outline(root)) == [
        "myapp-hello RUNNING 0 - -",
        "  boom RUNNING 1 - -",
        "    Attempt 0 FAILED 0 RUN output",
        "    Attempt 1 QUEUED 1 RUN -",
        "  execute RUNNING 1 - -",
        "    Attempt 0 FAILED 0 - output",
        "    Attempt 1 QUEUED 1 - -",
    ]
    queued = child(child(root), 1)
    assert (queued["spanID"], queued["duration"], queued["endedAt"]) == ("queued", 0, None)


def test_legacy_tree_of_a_waiting_run(function: Function) -> None:
    run = make_run(function, status=RunStatus.RUNNING)
    wait: Json = {"event_name": "demo/resume", "expression": '"w1" == async.data.id', "timeout": TIMEOUT}
    make_attempt(run, "wait-ev", StepStatus.WAITING, op="WaitForEvent", times=(1, 1, None), info=wait)
    root = legacy(run)
    assert child(root) == {
        "name": "wait-ev",
        "status": "WAITING",
        "attempts": 0,
        "stepOp": "WAIT_FOR_EVENT",
        "stepType": "",
        "isRoot": False,
        "spanID": child(root)["spanID"],
        "parentSpanID": root["spanID"],
        "outputID": None,
        "duration": None,
        "endedAt": None,
        "stepID": "id-wait-ev",
        "stepInfo": {
            "__typename": "WaitForEventStepInfo",
            "eventName": "demo/resume",
            "expression": '"w1" == async.data.id',
            "waitTimeout": TIMEOUT,
            "foundEventID": None,
            "timedOut": None,
        },
        "childrenSpans": [],
    }
    assert {
        key: root[key] for key in ("name", "isRoot", "parentSpanID", "outputID", "endedAt", "stepID")
    } == {
        "name": "myapp-hello",
        "isRoot": True,
        "parentSpanID": None,
        "outputID": None,
        "endedAt": None,
        "stepID": None,
    }


def test_open_steps_of_both_trees(function: Function) -> None:
    run = make_run(function, status=RunStatus.RUNNING)
    make_attempt(
        run, "nap", StepStatus.SLEEPING, op="Sleep", times=(1, 1, None), info={"sleep_until": TIMEOUT}
    )
    make_attempt(run, "later", StepStatus.QUEUED, times=(2, None, None))
    make_attempt(run, "model", StepStatus.RUNNING, op="AIGateway", times=(3, 3, None))
    make_attempt(run, "", StepStatus.RUNNING, times=(4, 4, None))
    assert list(outline(legacy(run))) == [
        "myapp-hello RUNNING 0 - -",
        "  nap RUNNING 0 SLEEP -",
        "  Queued step QUEUED 0 RUN -",
        "  model RUNNING 0 AI_GATEWAY -",
        "  execute RUNNING 0 - -",
    ]
    assert list(outline(preview(run))) == [
        "Run RUNNING 0 - output",
        "  nap RUNNING 0 SLEEP -",
        "  later QUEUED 0 RUN -",
        "  model RUNNING 0 AI_GATEWAY -",
        "  Finalization RUNNING 0 FINALIZATION -",
    ]


def test_new_tree_of_a_completed_run(completed: Run) -> None:
    root = preview(completed)
    assert list(outline(root)) == [
        "Run COMPLETED 0 - output",
        "  step-a COMPLETED 0 RUN output",
        "  nap COMPLETED 0 SLEEP -",
        "  step-b COMPLETED 0 RUN output",
        "  Finalization COMPLETED 0 FINALIZATION output",
    ]
    assert (root["isRoot"], root["parentSpanID"], root["stepType"]) == (True, "0000000000000000", "")
    assert [child(root, n)["stepType"] for n in range(4)] == ["RUN", "SLEEP", "RUN", "FINALIZATION"]
    assert child(root)["parentSpanID"] == root["spanID"]


def test_new_tree_of_a_failed_run(failed: Run) -> None:
    root = preview(failed)
    assert list(outline(root)) == [
        "Run FAILED 0 - output",
        "  boom FAILED 1 RUN output",
        "    Attempt 0 FAILED 0 RUN output",
        "    Attempt 1 FAILED 1 RUN output",
        "  Finalization FAILED 0 FINALIZATION output",
    ]
    group = child(root)
    assert group["duration"] is None
    ids = [group["spanID"], child(group)["spanID"], child(group, 1)["spanID"]]
    assert len(set(ids)) == 3


def test_answers_and_metadata_are_shown_on_the_new_tree(completed: Run) -> None:
    fields = "response {statusCode headers} metadata {kind} isUserland debugPaused skipReason groupID"
    root = ask(f'{{runTrace(runID: "{completed.run_id}") {{childrenSpans {{{fields}}}}}}}').data["runTrace"]
    assert isinstance(root, dict)
    common = {"metadata": [], "isUserland": False, "debugPaused": False, "skipReason": None}
    assert root["childrenSpans"] == [
        {"response": {"statusCode": 206, "headers": {}}, "groupID": "id-step-a", **common},
        {"response": None, "groupID": "id-nap", **common},
        {"response": None, "groupID": "id-step-b", **common},
        {"response": {"statusCode": 200, "headers": {}}, "groupID": None, **common},
    ]


def test_owners_and_times_of_spans(completed: Run) -> None:
    fields = "appID functionID runID traceID queuedAt scheduledAt startedAt endedAt run {status}"
    query = f"""query($id: String!) {{
        runTrace(runID: $id) {{{fields} childrenSpans {{parentSpan {{name}} {fields}}}}}
    }}"""
    root = ask(query, id=completed.run_id).data["runTrace"]
    assert isinstance(root, dict)
    first = root.pop("childrenSpans")[0]
    owner = {
        "appID": str(completed.app_id),
        "functionID": str(completed.function_id),
        "runID": completed.run_id,
        "traceID": root["traceID"],
        "run": {"status": "COMPLETED"},
    }
    assert root == {
        **owner,
        "queuedAt": "2024-11-23T13:07:01Z",
        "scheduledAt": "2024-11-23T13:07:01Z",
        "startedAt": "2024-11-23T13:07:01.01Z",
        "endedAt": "2024-11-23T13:07:01.1Z",
    }
    assert first == {
        **owner,
        "parentSpan": {"name": "Run"},
        "queuedAt": "2024-11-23T13:07:01Z",
        "scheduledAt": None,
        "startedAt": "2024-11-23T13:07:01.001Z",
        "endedAt": "2024-11-23T13:07:01.005Z",
    }


def test_a_skipped_run_says_why(function: Function) -> None:
    run = make_run(function, status=RunStatus.SKIPPED, skip_reason="Singleton", skip_existing_run_id="R")
    query = (
        f'{{runTrace(runID: "{run.run_id}") {{status skipReason skipExistingRunID childrenSpans {{name}}}}}}'
    )
    assert ask(query).data["runTrace"] == {
        "status": "SKIPPED",
        "skipReason": "Singleton",
        "skipExistingRunID": "R",
        "childrenSpans": [],
    }


@pytest.mark.parametrize("tree", [legacy, preview])
def test_outputs_of_a_completed_run(completed: Run, tree: Callable[[Run], Json]) -> None:
    root = tree(completed)
    assert output_of(child(root)) == {"input": None, "data": '"str-out"', "error": None}
    assert output_of(child(root, 2)) == {"input": None, "data": '{"data": 1}', "error": None}
    assert output_of(child(root, 3)) == {"input": None, "data": '{"ok":true}', "error": None}
    whole = output_of(root)
    assert (whole["data"], whole["error"]) == ('{"ok":true}', None)
    assert whole["input"] == (
        f'[{{"data":{{"a":1}},"id":"{_trigger_id(completed)}","name":"demo/go","ts":{T0},"user":{{}}}}]'
    )


def _trigger_id(run: Run) -> str:
    trigger = ask(f'{{runTrigger(runID: "{run.run_id}") {{IDs}}}}').data["runTrigger"]
    assert isinstance(trigger, dict)
    return str(trigger["IDs"][0])


@pytest.mark.parametrize("tree", [legacy, preview])
def test_outputs_of_a_failed_run(failed: Run, tree: Callable[[Run], Json]) -> None:
    root = tree(failed)
    for span in (root, child(root), child(child(root), 1), child(root, 1)):
        output = output_of(span)
        assert (output["data"], output["error"]) == (None, BOOM)


def test_outputs_of_waits_and_invocations(function: Function) -> None:
    run = make_run(function)
    event = {"name": "demo/resume", "data": {}}
    make_attempt(run, "found", op="WaitForEvent", times=(1, 1, 1), output=event)
    make_attempt(run, "late", StepStatus.TIMED_OUT, op="WaitForEvent", times=(2, 2, 2))
    make_attempt(run, "child", StepStatus.FAILED, op="InvokeFunction", times=(3, 3, 3), error={"name": "E"})
    make_attempt(run, "args", times=(4, 4, 4), output=1, input=[{"x": 1}])
    root = preview(run)
    assert [output_of(child(root, position)) for position in range(4)] == [
        {"input": None, "data": '{"name": "demo/resume", "data": {}}', "error": None},
        {"input": None, "data": "null", "error": None},
        {
            "input": None,
            "data": None,
            "error": {"message": "", "name": None, "stack": '{"name": "E"}', "cause": None},
        },
        {"input": '[{"x": 1}]', "data": "1", "error": None},
    ]


def test_the_root_of_a_live_run_has_its_input_only(function: Function) -> None:
    run = make_run(function, make_event(), status=RunStatus.RUNNING)
    output = output_of(preview(run))
    assert str(output["input"]).startswith('[{"data":{}')
    assert (output["data"], output["error"]) == (None, None)


@pytest.mark.parametrize("output_id", ["", "!", "e30=", "eyJyaWQiOiJub3BlIn0=", "bnVsbA=="])
def test_an_unknown_output(output_id: str) -> None:
    query = "query($id: String!) {runTraceSpanOutputByID(outputID: $id) {data}}"
    reply = ask(query, id=output_id)
    assert (reply.status, reply.body["data"]) == (200, None)
    assert len(reply.messages) == 1


def test_outputs_of_steps_that_do_not_exist(completed: Run) -> None:
    query = "query($id: String!) {runTraceSpanOutputByID(outputID: $id) {data}}"
    reply = ask(query, id=encode_output_id(OutputRef(completed.run_id, "id-nope")))
    assert reply.messages == [f"no output found for step 'id-nope' of run {completed.run_id}"]


TRIGGER = "{eventName IDs payloads timestamp isBatch batchID cron}"


def test_the_trigger_of_a_run(function: Function) -> None:
    event = make_event("inngest/function.invoked", {"_inngest": {"fn_id": "myapp-hello"}, "x": 1})
    run = make_run(function, event)
    payload = (
        f'{{"data":{{"_inngest":{{"fn_id":"myapp-hello"}},"x":1}},"id":"{event.internal_id}",'
        f'"name":"inngest/function.invoked","ts":{T0},"user":{{}}}}'
    )
    assert ask(f'{{runTrigger(runID: "{run.run_id}") {TRIGGER}}}').data["runTrigger"] == {
        "eventName": "inngest/function.invoked",
        "IDs": [event.internal_id],
        "payloads": [payload],
        "timestamp": "2024-11-23T13:07:01Z",
        "isBatch": False,
        "batchID": None,
        "cron": None,
    }


def test_the_trigger_of_a_batch_and_of_a_cron_tick(function: Function) -> None:
    first, second = make_event("b", at=T0 + 5), make_event("b", at=T0 + 1)
    mixed = make_run(function, first, make_event("c", at=T0 + 9), schedule_type="Batch")
    same = make_run(function, first, second, schedule_type="Batch")
    tick = make_run(function, make_event("inngest/scheduled.timer"), cron="0 0 1 1 *")
    fields = "{eventName timestamp isBatch cron}"
    query = " ".join(
        f'{name}: runTrigger(runID: "{run.run_id}") {fields}'
        for name, run in (("mixed", mixed), ("same", same), ("tick", tick))
    )
    assert ask(f"{{{query}}}").data == {
        "mixed": {"eventName": None, "timestamp": "2024-11-23T13:07:01.005Z", "isBatch": True, "cron": None},
        "same": {"eventName": "b", "timestamp": "2024-11-23T13:07:01.001Z", "isBatch": True, "cron": None},
        "tick": {
            "eventName": None,
            "timestamp": "2024-11-23T13:07:01Z",
            "isBatch": False,
            "cron": "0 0 1 1 *",
        },
    }
