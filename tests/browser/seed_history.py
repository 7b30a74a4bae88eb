"""Events and runs of the seed, written by the history store from records of the engine."""

import asyncio
import json
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha1

from channels.layers import get_channel_layer

from apps.engine.clock import now_ms
from apps.engine.event_stream import EventContext, EventEntry
from apps.engine.records import AnyRecord, EventHandled, RunEnded, RunScheduled, RunStarted, StepRecorded
from apps.runs.history.batch import Batch
from apps.runs.history.store import HistoryStore
from tests.browser import seed_ids as ids

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
STACK = """\
CardDeclinedError: The card was declined: insufficient funds
    at chargeCard (/srv/shop/src/payments/charge.ts:48:11)
    at async InngestExecution.executeStep (/srv/shop/node_modules/inngest/components/execution/v1.js:412:21)
    at async runAsPromise (/srv/shop/node_modules/inngest/helpers/promises.js:97:5)"""
DECLINED = {
    "name": "CardDeclinedError",
    "message": "The card was declined: insufficient funds",
    "stack": STACK,
    "cause": {
        "name": "HTTPError",
        "message": "402 Payment Required from https://payments.example.com/v1/charges",
    },
}
ORDER = {
    "orderId": "A-1042",
    "customerId": "cus_9fKq2",
    "total": 129.90,
    "items": [
        {"sku": "MUG-01", "quantity": 2, "price": 14.95},
        {"sku": "LAMP-07", "quantity": 1, "price": 100.0},
    ],
    "shipping": {"method": "express", "address": {"city": "Zürich", "country": "CH", "zip": "8004"}},
    "gift": False,
    "note": None,
}


def rfc3339(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def step_key(name: str) -> str:
    return sha1(name.encode(), usedforsecurity=False).hexdigest()


class History:
    """Collects entries and writes them as one batch."""

    def __init__(self) -> None:
        self.batch = Batch("0")
        self._stream = now_ms()

    def event(self, internal_id: str, name: str, data: object, at: int, source: str = "api") -> str:
        body = {"data": data, "id": internal_id, "name": name, "ts": at, "user": {}}
        entry = EventEntry(
            internal_id,
            str(ids.ENV_ID),
            str(ids.ACCOUNT_ID),
            name,
            json.dumps(body).encode(),
            EventContext(source=source),
        )
        stream_id = f"{at}-{int(internal_id[-5:])}"
        self.batch.add_event(stream_id, entry)
        return stream_id

    def add(self, *records: AnyRecord) -> None:
        self.batch.add_records(records)

    def write(self) -> int:
        return HistoryStore().write(self.batch)


def scheduled(
    run_id: str,
    function_id: uuid.UUID,
    app_id: uuid.UUID,
    event_name: str,
    at: int,
    events: Sequence[str] = (),
    **more: object,
) -> RunScheduled:
    values: dict[str, object] = {
        "run_id": run_id,
        "account_id": str(ids.ACCOUNT_ID),
        "env_id": str(ids.ENV_ID),
        "app_id": str(app_id),
        "function_id": str(function_id),
        "function_version": 3,
        "queued_at": at,
        "scheduled_at": at,
        "event_ids": list(events),
        "event_name": event_name,
        **more,
    }
    return RunScheduled(**values)  # type: ignore[arg-type]


def step(
    run_id: str,
    name: str,
    status: str,
    times: tuple[int, int, int],
    op: str = "StepRun",
    attempt: int = 0,
    **more: object,
) -> StepRecorded:
    queued, started, ended = times
    raw = {
        key: json.dumps(value).encode()
        for key, value in more.items()
        if key in ("output", "error", "input", "info")
    }
    return StepRecorded(
        run_id,
        step_key(name) if name else "",
        attempt,
        op,
        status,
        name=name,
        queued_at=queued,
        started_at=started,
        ended_at=ended,
        max_attempts=4 if op in ("StepRun", "Function") else 0,
        **raw,
    )


def write_full() -> None:
    history = History()
    now = now_ms()
    _bulk(history, now)
    _completed(history, now - 12 * MINUTE)
    _failed(history, now - 9 * MINUTE)
    _running(history, now - 95 * SECOND)
    _loop(history, now - 30 * MINUTE)
    _others(history, now)
    _lonely_events(history, now)
    history.write()


def _bulk(history: History, now: int) -> None:
    """A hundred ordinary runs of the last two days."""
    kinds = [
        (ids.FULFIL, ids.SHOP, "shop/order.placed", "Completed"),
        (ids.CHARGE, ids.BILLING, "billing/charge.requested", "Completed"),
        (ids.FULFIL, ids.SHOP, "shop/order.placed", "Completed"),
        (ids.CHARGE, ids.BILLING, "billing/charge.requested", "Failed"),
    ]
    for number in range(1, 101):
        function_id, app_id, name, status = kinds[number % 4]
        at = now - 20 * MINUTE - (101 - number) * 23 * MINUTE
        run_id, event_id = ids.run_id(number), ids.event_id(number)
        stream_id = history.event(event_id, name, {"orderId": f"A-{number}"}, at)
        history.add(
            scheduled(run_id, function_id, app_id, name, at, [event_id]),
            RunStarted(run_id, at + 8),
            RunEnded(
                run_id,
                status,
                at + 8 + 37 * number,
                json.dumps(DECLINED).encode() if status == "Failed" else b'"ok"',
            ),
            EventHandled(str(ids.ENV_ID), event_id, stream_id, at + 5, run_ids=[run_id]),
        )


def _completed(history: History, at: int) -> None:
    run_id, event_id = ids.COMPLETED_RUN, ids.COMPLETED_EVENT
    stream_id = history.event(event_id, "shop/order.placed", ORDER, at - 6)
    history.add(
        scheduled(run_id, ids.FULFIL, ids.SHOP, "shop/order.placed", at, [event_id]),
        RunStarted(run_id, at + 9),
        step(
            run_id,
            "reserve-stock",
            "Completed",
            (at + 20, at + 25, at + 640),
            output={"reserved": True, "warehouse": "ZRH-2"},
        ),
        step(
            run_id,
            "make-invoice",
            "Errored",
            (at + 645, at + 655, at + 900),
            error={"name": "TimeoutError", "message": "The invoice service did not answer"},
        ),
        step(
            run_id,
            "make-invoice",
            "Completed",
            (at + 900, at + 2_900, at + 3_350),
            attempt=1,
            output={"invoice": "INV-A-1042", "pages": 2},
        ),
        step(
            run_id,
            "wait-for-payment",
            "Completed",
            (at + 3_360, at + 3_360, at + 9_800),
            "WaitForEvent",
            output=ORDER,
            info={
                "event_name": "billing/payment.received",
                "expression": "async.data.orderId == event.data.orderId",
                "timeout": rfc3339(at + HOUR),
                "found_event_id": ids.event_id(40),
            },
        ),
        step(
            run_id,
            "cool-off",
            "Completed",
            (at + 9_810, at + 9_810, at + 14_810),
            "Sleep",
            info={"sleep_until": rfc3339(at + 14_810)},
        ),
        step(
            run_id,
            "pack-parcel",
            "Completed",
            (at + 14_830, at + 14_850, at + 16_200),
            output={"parcel": "P-88"},
        ),
        step(run_id, "notify-customer", "Completed", (at + 14_831, at + 14_900, at + 15_300), output=None),
        step(
            run_id,
            "charge-card",
            "Completed",
            (at + 16_210, at + 16_210, at + 19_000),
            "InvokeFunction",
            output={"charged": 129.9},
            info={
                "triggering_event_id": ids.event_id(41),
                "function_id": "billing-service-charge-card",
                "timeout": rfc3339(at + HOUR),
                "invoked_run_id": ids.run_id(41),
            },
        ),
        step(run_id, "", "Completed", (at + 19_010, at + 19_012, at + 19_030), "Function"),
        RunEnded(
            run_id,
            "Completed",
            at + 19_030,
            json.dumps({"invoice": "INV-A-1042", "parcel": "P-88", "order": ORDER}).encode(),
        ),
        EventHandled(
            str(ids.ENV_ID),
            event_id,
            stream_id,
            at,
            run_ids=[run_id],
            skipped=[(str(ids.CHARGE), "RateLimited", "")],
        ),
    )


def _failed(history: History, at: int) -> None:
    run_id, event_id = ids.FAILED_RUN, ids.event_id(90002)
    stream_id = history.event(
        event_id, "billing/charge.requested", {"orderId": "A-1043", "amount": 129.9}, at - 6
    )
    history.add(
        scheduled(run_id, ids.CHARGE, ids.BILLING, "billing/charge.requested", at, [event_id]),
        RunStarted(run_id, at + 9),
        step(run_id, "load-customer", "Completed", (at + 20, at + 25, at + 180), output={"id": "cus_9fKq2"}),
    )
    begin = at + 200
    for attempt, status in enumerate(("Errored", "Errored", "Errored", "Failed")):
        end = begin + 420
        started = begin + (0 if attempt == 0 else 9_000)
        history.add(
            step(
                run_id,
                "charge-card",
                status,
                (begin, started, started + 420),
                attempt=attempt,
                error=DECLINED,
                input=[{"amount": 129.9}],
                info={"status_code": 206},
            )
        )
        begin = end + 9_000 if attempt else end
    last = begin + 500
    history.add(
        step(run_id, "", "Failed", (last, last, last + 60), "Function", error=DECLINED),
        RunEnded(run_id, "Failed", last + 60, json.dumps(DECLINED).encode()),
        EventHandled(str(ids.ENV_ID), event_id, stream_id, at, run_ids=[run_id]),
    )


def _running(history: History, at: int) -> None:
    run_id, event_id = ids.RUNNING_RUN, ids.event_id(90003)
    stream_id = history.event(event_id, "shop/order.placed", ORDER, at - 6)
    history.add(
        scheduled(run_id, ids.FULFIL, ids.SHOP, "shop/order.placed", at, [event_id]),
        RunStarted(run_id, at + 9),
        step(
            run_id, "reserve-stock", "Completed", (at + 20, at + 25, at + 12_000), output={"reserved": True}
        ),
        step(run_id, "make-invoice", "Errored", (at + 12_010, at + 12_100, at + 20_000), error=DECLINED),
        step(run_id, "make-invoice", "Running", (at + 20_000, at + 50_000, 0), attempt=1),
        step(
            run_id,
            "wait-for-payment",
            "Waiting",
            (at + 12_020, at + 12_020, 0),
            "WaitForEvent",
            info={
                "event_name": "billing/payment.received",
                "expression": "async.data.orderId == event.data.orderId",
                "timeout": rfc3339(at + HOUR),
            },
        ),
        step(
            run_id,
            "cool-off",
            "Sleeping",
            (at + 12_030, at + 12_030, 0),
            "Sleep",
            info={"sleep_until": rfc3339(at + HOUR)},
        ),
        EventHandled(str(ids.ENV_ID), event_id, stream_id, at, run_ids=[run_id]),
    )


def _loop(history: History, at: int) -> None:
    """More steps than the timeline shows at first."""
    run_id = ids.LOOP_RUN
    history.add(
        scheduled(run_id, ids.IMPORT, ids.SHOP, "shop/products.changed", at, [ids.event_id(90005)]),
        RunStarted(run_id, at + 5),
    )
    for number in range(340):
        begin = at + 10 + number * 40
        history.add(
            step(run_id, f"import-{number + 1}", "Completed", (begin, begin + 2, begin + 38), output=number)
        )
    history.add(
        RunEnded(
            run_id,
            "Completed",
            at + 14_000,
            json.dumps([{"sku": f"SKU-{n}", "stock": n} for n in range(400)]).encode(),
        )
    )


def _others(history: History, now: int) -> None:
    at = now - 3 * MINUTE
    history.event(ids.event_id(90006), ids.LONG_EVENT, {"provider": "acme"}, at)
    history.add(
        scheduled(
            ids.LONG_RUN,
            ids.LONG,
            ids.BILLING,
            ids.LONG_EVENT,
            at,
            [ids.event_id(90006)],
            schedule_type="Debounce",
        ),
        RunStarted(ids.LONG_RUN, at + 30),
        step(
            ids.LONG_RUN,
            "download-the-settlement-report-of-the-previous-business-day-from-the-provider",
            "Completed",
            (at + 40, at + 50, at + 4_000),
            output="x" * 300,
        ),
        RunEnded(ids.LONG_RUN, "Completed", at + 4_100, b'"done"'),
        scheduled(
            ids.CANCELLED_RUN,
            ids.FULFIL,
            ids.SHOP,
            "shop/order.placed",
            now - 6 * MINUTE,
            [ids.event_id(90007)],
        ),
        RunStarted(ids.CANCELLED_RUN, now - 6 * MINUTE + 10),
        step(
            ids.CANCELLED_RUN,
            "wait-for-payment",
            "Waiting",
            (now - 6 * MINUTE + 20, now - 6 * MINUTE + 20, 0),
            "WaitForEvent",
            info={"event_name": "billing/payment.received", "timeout": rfc3339(now + HOUR)},
        ),
        RunEnded(
            ids.CANCELLED_RUN, "Cancelled", now - 5 * MINUTE, reason="by the event shop/order.cancelled"
        ),
        scheduled(
            ids.SKIPPED_RUN,
            ids.REPORT,
            ids.BILLING,
            "inngest/scheduled.timer",
            now - 7 * MINUTE,
            [],
            schedule_type="Cron",
            cron="30 2 * * 1-5",
            skip_reason="Singleton",
            skip_existing_run_id=ids.COMPLETED_RUN,
            flow=json.dumps(
                {
                    "keys": [["singleton", "event.data.region", "eu-central-1"]],
                    "problems": ["concurrency key event.data.account.id: cannot be evaluated"],
                }
            ).encode(),
        ),
        scheduled(
            ids.BATCH_RUN,
            ids.IMPORT,
            ids.SHOP,
            "shop/products.changed",
            now - 2 * MINUTE,
            [ids.event_id(90010 + n) for n in range(12)],
            schedule_type="Batch",
            flow=json.dumps(
                {
                    "keys": [
                        ["batch", "event.data.shop", "garden-tools"],
                        ["concurrency", "event.data.account + '/' + event.data.shop", "acct_" + "7" * 90],
                    ],
                    "priority_seconds": -90,
                }
            ).encode(),
        ),
        RunStarted(ids.BATCH_RUN, now - 2 * MINUTE + 5),
        RunEnded(ids.BATCH_RUN, "Completed", now - 2 * MINUTE + 900, b'{"imported":12}'),
        scheduled(
            ids.QUEUED_RUN,
            ids.CHARGE,
            ids.BILLING,
            "billing/charge.requested",
            now - 4 * SECOND,
            [ids.event_id(90004)],
        ),
    )
    for number in range(12):
        history.event(
            ids.event_id(90010 + number), "shop/products.changed", {"sku": f"SKU-{number}"}, now - 2 * MINUTE
        )


def _lonely_events(history: History, now: int) -> None:
    lonely = history.event(
        ids.LONELY_EVENT, "shop/newsletter.opened", {"campaign": "spring"}, now - 50 * SECOND
    )
    held = history.event(ids.HELD_EVENT, "shop/products.changed", ORDER, now - 39 * SECOND)
    busy = history.event(ids.BUSY_EVENT, "billing/payment.received", ORDER, now - 40 * SECOND)
    env = str(ids.ENV_ID)
    history.add(
        EventHandled(env, ids.LONELY_EVENT, lonely, now - 50 * SECOND),
        EventHandled(
            env,
            ids.HELD_EVENT,
            held,
            now - 39 * SECOND,
            run_ids=[ids.BATCH_RUN],
            skipped=[
                (str(ids.IMPORT), "Batched", ids.event_id(1)),
                (str(ids.CHARGE), "Batched", ids.event_id(2)),
                (str(ids.LONG), "Debounced", ""),
                (str(ids.CHARGE), "RateLimited", ""),
                (str(ids.FULFIL), "Duplicate", ids.COMPLETED_RUN),
                (str(ids.REPORT), "Singleton", ids.SKIPPED_RUN),
                (str(ids.REPORT), "FunctionPaused", ids.SKIPPED_RUN),
                (str(ids.REPORT), "FunctionDrained", ids.SKIPPED_RUN),
            ],
        ),
        EventHandled(
            env,
            ids.BUSY_EVENT,
            busy,
            now - 40 * SECOND,
            run_ids=[ids.BATCH_RUN, ids.LONG_RUN, ids.QUEUED_RUN],
            resumed=[ids.COMPLETED_RUN],
            cancelled=[ids.CANCELLED_RUN],
            skipped=[(str(ids.CHARGE), "RateLimited", "")],
            failed=[(str(ids.LONG), "no such overload: string > int")],
        ),
    )


def write_progress() -> None:
    """The retried step of the running run completes, and another begins."""
    at, run_id = now_ms(), ids.RUNNING_RUN
    _write_and_hint(
        run_id,
        [
            step(
                run_id,
                "make-invoice",
                "Completed",
                (at - 40_000, at - 30_000, at),
                attempt=1,
                output={"invoice": "INV-7"},
            ),
            step(run_id, "print-label", "Running", (at, at, 0)),
        ],
    )


def write_finish() -> None:
    _write_and_hint(ids.RUNNING_RUN, [RunEnded(ids.RUNNING_RUN, "Completed", now_ms(), b'{"shipped":true}')])


def write_arrival() -> None:
    _arrive(ids.ARRIVED_RUN)


def write_another_arrival() -> None:
    _arrive(ids.ANOTHER_RUN)


def _arrive(run_id: str) -> None:
    at = now_ms()
    run = scheduled(run_id, ids.FULFIL, ids.SHOP, "shop/order.placed", at, [ids.event_id(90100)])
    _write_and_hint(run_id, [run, RunStarted(run_id, at)])


def write_event() -> None:
    history = History()
    history.event(ids.event_id(90200), "shop/quiet.event", {}, now_ms())
    history.write()


def hint_only() -> None:
    asyncio.run(_hint(ids.RUNNING_RUN, 1))


def _write_and_hint(run_id: str, records: Iterable[AnyRecord]) -> None:
    history = History()
    history.add(*records)
    version = history.write()
    asyncio.run(_hint(run_id, version))


async def _hint(run_id: str, version: int) -> None:
    layer = get_channel_layer()
    assert layer is not None
    for group in (f"run.{run_id}", f"runs.{ids.ENV_ID}"):
        await layer.group_send(group, {"type": "hint", "run_id": run_id, "version": version})
