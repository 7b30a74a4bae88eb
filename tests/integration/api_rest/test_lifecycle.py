"""The services of runs against a real engine (spec 02, 7.7, 12.1 and 12.2)."""

import uuid

import pytest
import redis

from apps.engine.keys import Keys
from apps.engine.records import RunEnded, RunScheduled, decode_records
from apps.runs import exceptions
from apps.runs.services import CancelResult, run_cancel, run_rerun
from tests.integration.api_rest.live import is_live, publish, start_run
from tests.integration.history import running
from tests.integration.history.life import EVENT, FUNCTION, LIFE, RUN, STREAM_ID, event, scheduled, step
from tests.integration.history.seed import ENVIRONMENT, STRANGER, write, write_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rest")]

PREFIX = Keys("0").prefix


def scheduled_records(client: "redis.Redis") -> list[RunScheduled]:
    entries = running.entries(client, f"{PREFIX}:history")
    records = [record for _, fields in entries for record in decode_records(fields[b"d"])]
    return [record for record in records if isinstance(record, RunScheduled)]


def test_cancelling_says_what_happened() -> None:
    run_id = start_run()
    assert run_cancel(ENVIRONMENT, run_id, "user") is CancelResult.CANCELLED
    write(scheduled(run_id), RunEnded(run_id, "Cancelled", 5))
    assert run_cancel(ENVIRONMENT, run_id, "user") is CancelResult.ALREADY_CANCELLED
    write(*LIFE)
    assert run_cancel(ENVIRONMENT, RUN, "user") is CancelResult.ALREADY_ENDED


def test_a_stranger_cannot_cancel() -> None:
    run_id = start_run()
    write(scheduled(run_id))
    with pytest.raises(exceptions.RunNotFound):
        run_cancel(STRANGER, run_id, "user")
    assert is_live(run_id)


def test_a_rerun_has_the_same_events(redis_client: "redis.Redis") -> None:
    publish()
    write(*LIFE)
    write_event(STREAM_ID, event())
    run_id = run_rerun(ENVIRONMENT, RUN)

    (record,) = scheduled_records(redis_client)
    assert (record.run_id, record.event_ids, record.original_run_id) == (run_id, [EVENT], RUN)
    assert (record.schedule_type, record.function_id, record.function_version) == ("Rerun", FUNCTION, 4)
    assert redis_client.hget(f"{PREFIX}:run:{run_id}", "ev") == b"[" + event().body + b"]"


def test_a_rerun_of_a_rerun_points_to_the_first(redis_client: "redis.Redis") -> None:
    publish()
    write(scheduled(original_run_id="01FIRST"))
    write_event(STREAM_ID, event())
    run_rerun(ENVIRONMENT, RUN)
    assert scheduled_records(redis_client)[0].original_run_id == "01FIRST"


def test_a_rerun_from_a_step_keeps_what_was_before(redis_client: "redis.Redis") -> None:
    publish()
    write(*LIFE)
    write_event(STREAM_ID, event())
    run_id = run_rerun(ENVIRONMENT, RUN, from_step="w", input='[{"ed": 1}]')

    assert redis_client.hgetall(f"{PREFIX}:memo:{run_id}") == {b"a": b'{"data":{"n": 1.50}}'}
    assert redis_client.lrange(f"{PREFIX}:stack:{run_id}", 0, -1) == [b"a"]
    assert redis_client.hmget(f"{PREFIX}:run:{run_id}", "is", "iv") == [b"w", b'[{"ed": 1}]']


@pytest.mark.parametrize("text", ["{}", "", "[", '"x"', "null"])
def test_an_input_must_be_an_array(text: str) -> None:
    write(*LIFE)
    with pytest.raises(exceptions.InputInvalid, match=r"^input is not a valid JSON array$"):
        run_rerun(ENVIRONMENT, RUN, from_step="a", input=text)


def test_what_cannot_be_rerun() -> None:
    with pytest.raises(exceptions.RunNotFound, match=r"^run not found$"):
        run_rerun(ENVIRONMENT, RUN)
    write(scheduled())
    with pytest.raises(exceptions.EventsGone, match=r"^original run events not found$"):
        run_rerun(ENVIRONMENT, RUN)
    with pytest.raises(exceptions.TraceGone, match=r"^original run trace not found$"):
        run_rerun(ENVIRONMENT, RUN, from_step="a")
    write(step("a", 0, "Completed", name="first"))
    with pytest.raises(exceptions.StepNotFound):
        run_rerun(ENVIRONMENT, RUN, from_step="b")


def test_a_function_that_is_gone() -> None:
    write(scheduled(function_id=str(uuid.uuid4())))
    write_event(STREAM_ID, event())
    with pytest.raises(exceptions.FunctionGone, match=r"^function not found$"):
        run_rerun(ENVIRONMENT, RUN)


def test_a_stranger_cannot_rerun(redis_client: "redis.Redis") -> None:
    publish()
    write(*LIFE)
    write_event(STREAM_ID, event())
    with pytest.raises(exceptions.RunNotFound):
        run_rerun(STRANGER, RUN)
    assert scheduled_records(redis_client) == []
