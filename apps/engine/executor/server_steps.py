"""Steps that the server carries out itself: step.fetch and step.ai.infer (spec 04, 6.2 and 6.3).

Each is an item of its own. A failed try is repeated by the function's retry policy without asking
the app again; the last one leaves an error memo that the user's code may catch.
"""

import msgspec

from apps.engine import clock
from apps.engine.calls.exchange import HttpTransport
from apps.engine.calls.gateway import OutboundFailed, perform_ai, perform_gateway
from apps.engine.executor import ops
from apps.engine.executor.commit_builder import CommitBuilder, Dispatch
from apps.engine.functions import FunctionSpec
from apps.engine.records import StepRecorded
from apps.engine.store.views import Item, RunState

_payload_decoder = msgspec.json.Decoder(ops.ServerStep)


class ServerStepRunner:
    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport

    async def run(self, item: Item, state: RunState, spec: FunctionSpec, started_at: int) -> CommitBuilder:
        step = _payload_decoder.decode(item.payload)
        try:
            memo = await self._perform(step)
        except OutboundFailed as exc:
            builder = CommitBuilder(item, state, spec, Dispatch(started_at, clock.now_ms()))
            self._failed(builder, step, exc)
        else:
            builder = CommitBuilder(item, state, spec, Dispatch(started_at, clock.now_ms()))
            builder.save(step.id, memo, step.race)
            self._record(builder, step, "Completed", output=memo[len(b'{"data":') : -1])
        return builder

    async def _perform(self, step: ops.ServerStep) -> bytes:
        if step.gateway is not None:
            return await perform_gateway(self._transport, step.gateway)
        if step.ai is not None:
            return await perform_ai(self._transport, step.ai)
        raise ValueError(f"step {step.id} holds no request")

    def _failed(self, builder: CommitBuilder, step: ops.ServerStep, failure: OutboundFailed) -> None:
        error = failure.memo[len(b'{"error":') : -1]
        if failure.retryable and not builder.is_last_attempt:
            builder.retry(failure.retry_at_ms or builder.now + ops.retry_delay_ms(builder.item.attempt))
            self._record(builder, step, "Errored", error=error)
        else:
            builder.save(step.id, failure.memo, step.race)
            self._record(builder, step, "Failed", error=error)

    def _record(
        self,
        builder: CommitBuilder,
        step: ops.ServerStep,
        status: str,
        output: bytes = b"",
        error: bytes = b"",
    ) -> None:
        builder.records.append(
            StepRecorded(
                builder.item.run_id,
                step.id,
                builder.item.attempt,
                step.op,
                status,
                name=step.name,
                queued_at=builder.item.queued_at,
                started_at=builder.dispatch.started_at,
                ended_at=builder.now,
                output=output,
                error=error,
                max_attempts=builder.spec.max_attempts,
            )
        )
