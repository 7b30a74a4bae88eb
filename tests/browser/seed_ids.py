"""Names that the seed and the tests share."""

import uuid

ENV_ID = uuid.UUID("00000000-0000-4000-b000-000000000000")
ACCOUNT_ID = uuid.UUID("00000000-0000-4000-a000-000000000000")

SHOP = uuid.UUID(int=0x51)
BILLING = uuid.UUID(int=0x52)
BROKEN = uuid.UUID(int=0x53)

FULFIL = uuid.UUID(int=0x61)
CHARGE = uuid.UUID(int=0x62)
REPORT = uuid.UUID(int=0x63)
LONG = uuid.UUID(int=0x64)
IMPORT = uuid.UUID(int=0x65)

LONG_NAME = "Reconcile every settlement of the payment provider with the ledger, then notify the accountants"
LONG_EVENT = "accounting/settlement.reconciliation.requested.by.the.nightly.scheduler.of.region.eu-central-1"


def run_id(number: int) -> str:
    """A ULID-shaped id that rises with the number."""
    return f"01JZ0000000000000000R{number:05d}"


def event_id(number: int) -> str:
    return f"01JZ0000000000000000E{number:05d}"


COMPLETED_RUN = run_id(90001)
FAILED_RUN = run_id(90002)
RUNNING_RUN = run_id(90003)
QUEUED_RUN = run_id(90004)
LOOP_RUN = run_id(90005)
LONG_RUN = run_id(90006)
CANCELLED_RUN = run_id(90007)
SKIPPED_RUN = run_id(90008)
BATCH_RUN = run_id(90009)
ARRIVED_RUN = run_id(90100)
ANOTHER_RUN = run_id(90101)

COMPLETED_EVENT = event_id(90001)
LONELY_EVENT = event_id(90050)
BUSY_EVENT = event_id(90051)
HELD_EVENT = event_id(90052)
